#include "duplicates.h"

#include <algorithm>
#include <bit>

#include "base/core/check.h"

namespace picket::pipeline {
namespace {

constexpr std::size_t kWords = kSequenceWindow / 64;
constexpr Duration kSlicePeriod = Duration::seconds(30);
constexpr std::int64_t kSlicesKept = kFingerprintLife.us / kSlicePeriod.us;
/// A slice is also closed when it is as large as this: a checkpoint rewrites the open one.
constexpr std::size_t kSliceMax = 65'536;
constexpr std::size_t kSlotsMin = 1024;

}  // namespace

void StreamDuplicates::Stream::advance(std::uint64_t by) {
  watermark += by;
  if (by >= kSequenceWindow) {
    ahead.assign(kWords, 0);
    return;
  }
  const std::size_t words = by / 64;
  const unsigned bits = by % 64;
  for (std::size_t i = 0; i < kWords; ++i) {
    const std::uint64_t low = i + words < kWords ? ahead[i + words] : 0;
    const std::uint64_t high = i + words + 1 < kWords ? ahead[i + words + 1] : 0;
    ahead[i] = bits == 0 ? low : (low >> bits) | (high << (64 - bits));
  }
}

bool StreamDuplicates::Stream::seen(std::uint64_t sequence, Stats& stats) {
  if (sequence <= watermark) return true;
  if (ahead.empty() && sequence == watermark + 1) {
    watermark = sequence;
    return false;
  }
  ahead.resize(kWords, 0);
  std::uint64_t offset = sequence - watermark - 1;
  if (offset >= kSequenceWindow) {
    const std::uint64_t by = offset - kSequenceWindow + 1;
    std::uint64_t came = 0;
    for (std::uint64_t i = 0; i < std::min(by, kSequenceWindow); ++i) came += ahead[i / 64] >> (i % 64) & 1;
    stats.gaps_given_up += by - came;
    advance(by);
    offset -= by;
  }
  std::uint64_t& word = ahead[offset / 64];
  const std::uint64_t bit = std::uint64_t{1} << (offset % 64);
  if ((word & bit) != 0) return true;
  word |= bit;
  std::uint64_t whole = 0;
  for (const std::uint64_t w : ahead) {
    whole += static_cast<std::uint64_t>(std::countr_one(w));
    if (w != ~std::uint64_t{0}) break;
  }
  if (whole > 0) advance(whole);
  if (std::ranges::all_of(ahead, [](std::uint64_t w) { return w == 0; })) ahead.clear();
  return false;
}

bool StreamDuplicates::seen(std::string_view sender, std::string_view epoch, std::uint64_t sequence,
                            Timestamp enqueued) {
  Sender& entry = senders_.touch(sender);
  entry.last = enqueued;
  auto stream = std::ranges::find(entry.streams, epoch, &Stream::epoch);
  if (stream == entry.streams.end()) {
    if (entry.streams.size() == kEpochsMax) {
      entry.streams.erase(entry.streams.begin());
      ++stats_.epochs_forgotten;
    }
    // The first we see need not be the first that was sent: those shortly before it may still be on their way.
    const std::uint64_t behind = sequence > kSequenceWindow ? sequence - kSequenceWindow : 0;
    stream = entry.streams.insert(entry.streams.end(), Stream{std::string(epoch), behind, {}});
  }
  const bool before = stream->seen(sequence, stats_);
  if (senders_.size() > kStreamSendersMax) stats_.senders_evicted += evict_oldest(senders_, kStreamSendersMax);
  return before;
}

void StreamDuplicates::Sender::encode(ByteWriter& out) const {
  put_time(out, last);
  out.u8(static_cast<std::uint8_t>(streams.size()));
  for (const Stream& stream : streams) {
    put_text(out, stream.epoch);
    out.le(stream.watermark).le(static_cast<std::uint16_t>(stream.ahead.size()));
    for (const std::uint64_t word : stream.ahead) out.le(word);
  }
}

Result<StreamDuplicates::Sender> StreamDuplicates::Sender::decode(Cursor& in) {
  Sender out;
  TRY(out.last, get_time(in));
  TRY(const auto count, in.u8());
  if (count > kEpochsMax) return fail(Errc::malformed, "pipeline.state.streams");
  for (unsigned i = 0; i < count; ++i) {
    Stream stream;
    TRY(stream.epoch, get_text(in));
    TRY(stream.watermark, in.le<std::uint64_t>());
    TRY(const auto words, in.le<std::uint16_t>());
    if (words != 0 && words != kWords) return fail(Errc::malformed, "pipeline.state.streams");
    for (unsigned w = 0; w < words; ++w) {
      TRY(const auto word, in.le<std::uint64_t>());
      stream.ahead.push_back(word);
    }
    out.streams.push_back(std::move(stream));
  }
  return out;
}

FingerprintDuplicates::FingerprintDuplicates() : slots_(kSlotsMin, 0) {}

void FingerprintDuplicates::advance(Timestamp now) {
  period_ = now.us / kSlicePeriod.us;
  while (!slices_.empty() && slices_.front().period + kSlicesKept < period_) drop_oldest();
}

bool FingerprintDuplicates::contains(std::uint64_t fingerprint) const {
  fingerprint += fingerprint == 0 ? 1 : 0;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t at = fingerprint & mask; slots_[at] != 0; at = (at + 1) & mask) {
    if (slots_[at] == fingerprint) return true;
  }
  return false;
}

void FingerprintDuplicates::add(std::uint64_t fingerprint) {
  fingerprint += fingerprint == 0 ? 1 : 0;
  if (contains(fingerprint)) return;
  if (count_ >= kFingerprintsMax) {
    evicted_ += slices_.front().fingerprints.size();
    drop_oldest();
  }
  if (slices_.empty() || slices_.back().period != period_ || slices_.back().fingerprints.size() >= kSliceMax) {
    slices_.push_back({.number = next_number_++, .period = period_});
  }
  slices_.back().fingerprints.push_back(fingerprint);
  slices_.back().dirty = true;
  insert(fingerprint);
}

void FingerprintDuplicates::insert(std::uint64_t fingerprint) {
  if ((count_ + 1) * 4 > slots_.size() * 3) grow();
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = fingerprint & mask;
  while (slots_[at] != 0) at = (at + 1) & mask;
  slots_[at] = fingerprint;
  ++count_;
}

/// Closes the hole by moving back what would not be found behind it.
void FingerprintDuplicates::remove(std::uint64_t fingerprint) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = fingerprint & mask;
  while (slots_[at] != fingerprint) {
    if (slots_[at] == 0) return;
    at = (at + 1) & mask;
  }
  for (std::size_t next = (at + 1) & mask; slots_[next] != 0; next = (next + 1) & mask) {
    const std::size_t home = slots_[next] & mask;
    if (((next - home) & mask) < ((next - at) & mask)) continue;
    slots_[at] = slots_[next];
    at = next;
  }
  slots_[at] = 0;
  --count_;
}

void FingerprintDuplicates::grow() {
  std::vector<std::uint64_t> old(slots_.size() * 2, 0);
  std::swap(old, slots_);
  count_ = 0;
  for (const std::uint64_t fingerprint : old) {
    if (fingerprint != 0) insert(fingerprint);
  }
}

void FingerprintDuplicates::drop_oldest() {
  for (const std::uint64_t fingerprint : slices_.front().fingerprints) remove(fingerprint);
  dropped_.push_back(slices_.front().number);
  slices_.pop_front();
}

std::vector<StateChange> FingerprintDuplicates::take_changes() {
  std::vector<StateChange> out;
  for (const std::uint64_t number : dropped_) out.push_back({std::to_string(number), std::nullopt});
  dropped_.clear();
  for (Slice& slice : slices_) {
    if (!slice.dirty) continue;
    StateChange change{std::to_string(slice.number), Buffer{}};
    ByteWriter writer(*change.value);
    writer.le(slice.number).le(static_cast<std::uint64_t>(slice.period));
    for (const std::uint64_t fingerprint : slice.fingerprints) writer.le(fingerprint);
    slice.dirty = false;
    out.push_back(std::move(change));
  }
  return out;
}

Result<> FingerprintDuplicates::load(std::string_view, Bytes value) {
  Cursor in(value);
  Slice slice{.dirty = false};
  TRY(slice.number, in.le<std::uint64_t>());
  TRY(const auto period, in.le<std::uint64_t>());
  slice.period = static_cast<std::int64_t>(period);
  while (!in.empty()) {
    TRY(const auto fingerprint, in.le<std::uint64_t>());
    if (fingerprint == 0 || count_ >= kFingerprintsMax) return fail(Errc::malformed, "pipeline.state.fingerprints");
    slice.fingerprints.push_back(fingerprint);
    insert(fingerprint);
  }
  next_number_ = std::max(next_number_, slice.number + 1);
  period_ = std::max(period_, slice.period);
  const auto place = std::ranges::upper_bound(slices_, slice.number, {}, &Slice::number);
  slices_.insert(place, std::move(slice));
  return {};
}

}  // namespace picket::pipeline
