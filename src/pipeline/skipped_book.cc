#include "skipped_book.h"

#include <algorithm>

#include "message/decoder.h"

namespace picket::pipeline {
namespace {

constexpr std::size_t kEntriesOfRecordMax = message::Limits{}.events_max;

}  // namespace

std::span<const Skipped> SkippedBook::of(std::uint64_t sequence) const {
  const auto found = std::ranges::equal_range(entries_, sequence, {}, &Skipped::sequence);
  return {found.begin(), found.end()};
}

void SkippedBook::add(Skipped skipped) {
  if (entries_.size() == kEntriesMax) forget_through(entries_[kEntriesMax / 2].sequence);
  if (skipped.sequence > from_) entries_.push_back(skipped);
}

bool SkippedBook::has_room() const { return entries_.size() + kEntriesOfRecordMax <= kEntriesMax; }

void SkippedBook::forget_through(std::uint64_t sequence) {
  if (sequence <= from_) return;
  from_ = sequence;
  entries_.erase(entries_.begin(), std::ranges::upper_bound(entries_, sequence, {}, &Skipped::sequence));
}

void SkippedBook::encode(ByteWriter& out) const {
  out.le(from_).le(static_cast<std::uint32_t>(entries_.size()));
  for (const Skipped& skipped : entries_) out.le(skipped.sequence).le(skipped.event);
}

Result<SkippedBook> SkippedBook::decode(Cursor& in) {
  SkippedBook out;
  TRY(out.from_, in.le<std::uint64_t>());
  TRY(const auto count, in.le<std::uint32_t>());
  if (count > kEntriesMax) return fail(Errc::malformed, "checkpoint.skipped", in.offset());
  std::uint64_t last = out.from_ + 1;
  for (std::uint32_t i = 0; i < count; ++i) {
    Skipped skipped;
    TRY(skipped.sequence, in.le<std::uint64_t>());
    TRY(skipped.event, in.le<std::uint32_t>());
    if (skipped.sequence < last) return fail(Errc::malformed, "checkpoint.skipped", in.offset());
    last = skipped.sequence;
    out.entries_.push_back(skipped);
  }
  return out;
}

}  // namespace picket::pipeline
