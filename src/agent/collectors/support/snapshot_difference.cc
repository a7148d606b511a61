#include "support/snapshot_difference.h"

#include <algorithm>
#include <cstdio>
#include <iterator>

#include <fcntl.h>

#include "base/core/byte_writer.h"
#include "base/core/cursor.h"
#include "base/core/file.h"
#include "base/core/random.h"

namespace picket::agent {
namespace {

constexpr std::uint32_t kMagic = 0x50534431;  // "PSD1": format 1
constexpr std::size_t kItemBytes = 8 + 4 + 2;
constexpr std::size_t kHeadBytes = 4 + 8 + 8 + 8 + 4;
constexpr std::size_t kFileBytesMax =
    kHeadBytes + SnapshotDifference::kItemsMax * kItemBytes + SnapshotDifference::kTextBytesMax + 4;
constexpr std::size_t kTailMax = 64;

}  // namespace

std::string_view to_string(SnapshotChange change) {
  constexpr std::string_view names[] = {"", "unchanged", "added", "changed", "removed"};
  return names[static_cast<std::size_t>(change)];
}

std::string_view take_field(std::string_view& text) {
  const auto field = text.substr(0, text.find(SnapshotDifference::kFieldEnd));
  text.remove_prefix(std::min(field.size() + 1, text.size()));
  return field;
}

SnapshotDifference::SnapshotDifference(std::string path) : path_(std::move(path)), key_{random_u64(), random_u64()} {}

bool SnapshotDifference::begin(Timestamp now) {
  if (!loaded_) load();
  whole_ = !known_ || now < whole_at_ || now - whole_at_ >= kSnapshotWholeEvery;
  if (whole_) {
    clear();
    whole_at_ = now;
    known_ = unsaved_ = true;
  }
  untracked_ = 0;
  removed_at_ = 0;
  for (Item& item : items_) item.seen = false;
  return whole_;
}

SnapshotChange SnapshotDifference::see(std::string_view identity, std::string_view details, std::string_view content) {
  const std::uint64_t hash = siphash24(key_, as_bytes(identity));
  const auto content_hash = static_cast<std::uint32_t>(siphash24(key_, as_bytes(content)));
  if (Item* item = find(hash)) {
    const bool again = std::exchange(item->seen, true);
    if (again || item->content == content_hash) return SnapshotChange::unchanged;
    item->content = content_hash;
    unsaved_ = true;
    if (const std::string text = text_of(identity, details); texts_.size() + text.size() <= kTextBytesMax) {
      set_text(*item, text);
      stale_texts_ = true;
    }
    return SnapshotChange::changed;
  }
  if (!add(hash, content_hash, identity, details)) {
    ++untracked_;
    return whole_ ? SnapshotChange::whole : SnapshotChange::unchanged;
  }
  items_.back().seen = unsaved_ = true;
  return whole_ ? SnapshotChange::whole : SnapshotChange::added;
}

SnapshotDifference::Item* SnapshotDifference::find(std::uint64_t identity) {
  const auto sorted_end = items_.begin() + static_cast<std::ptrdiff_t>(sorted_);
  const auto at = std::ranges::lower_bound(items_.begin(), sorted_end, identity, {}, &Item::identity);
  if (at != sorted_end && at->identity == identity) return &*at;
  const auto in_tail = std::ranges::find(sorted_end, items_.end(), identity, &Item::identity);
  return in_tail == items_.end() ? nullptr : &*in_tail;
}

bool SnapshotDifference::add(std::uint64_t identity, std::uint32_t content, std::string_view name,
                             std::string_view details) {
  if (items_.size() - sorted_ >= kTailMax) sort_tail();
  const std::string text = text_of(name, details);
  if (items_.size() >= kItemsMax || texts_.size() + text.size() > kTextBytesMax) return false;
  set_text(items_.emplace_back(Item{.identity = identity, .content = content}), text);
  return true;
}

std::string SnapshotDifference::text_of(std::string_view name, std::string_view details) {
  std::string text(name.substr(0, kItemTextMax));
  if (text.size() < kItemTextMax) {
    text += kFieldEnd;
    text += details.substr(0, kItemTextMax - text.size());
  }
  return text;
}

void SnapshotDifference::set_text(Item& item, std::string_view text) {
  item.text_at = static_cast<std::uint32_t>(texts_.size());
  item.text_bytes = static_cast<std::uint16_t>(text.size());
  texts_ += text;
}

void SnapshotDifference::sort_tail() {
  const auto middle = items_.begin() + static_cast<std::ptrdiff_t>(sorted_);
  const auto less = [](const Item& a, const Item& b) { return a.identity < b.identity; };
  std::sort(middle, items_.end(), less);
  if (sorted_ > 0) {
    std::vector<Item> merged;
    merged.reserve(items_.size() + kTailMax);
    std::merge(items_.begin(), middle, middle, items_.end(), std::back_inserter(merged), less);
    items_ = std::move(merged);
  }
  sorted_ = items_.size();
}

std::string_view SnapshotDifference::next_removed() {
  while (removed_at_ < items_.size()) {
    const Item& item = items_[removed_at_++];
    if (!item.seen) return std::string_view(texts_).substr(item.text_at, item.text_bytes);
  }
  return {};
}

void SnapshotDifference::finish() {
  sort_tail();
  const bool gone = !std::ranges::all_of(items_, &Item::seen);
  unsaved_ = unsaved_ || gone;
  if (gone || stale_texts_) compact();
}

void SnapshotDifference::compact() {
  std::string texts;
  std::erase_if(items_, [](const Item& item) { return !item.seen; });
  for (Item& item : items_) {
    const auto at = static_cast<std::uint32_t>(texts.size());
    texts.append(texts_, item.text_at, item.text_bytes);
    item.text_at = at;
  }
  texts_ = std::move(texts);
  sorted_ = items_.size();
  stale_texts_ = false;
}

void SnapshotDifference::clear() {
  items_.clear();
  items_.shrink_to_fit();
  texts_.clear();
  texts_.shrink_to_fit();
  sorted_ = 0;
}

void SnapshotDifference::load() {
  loaded_ = true;
  if (path_.empty()) return;
  if (const auto text = read_file(path_, kFileBytesMax)) (void)decode(as_bytes(*text));
}

Result<> SnapshotDifference::save() {
  if (path_.empty()) return {};
  if (unsaved_) {
    // No fsync: a torn file is noticed by its checksum and costs a whole snapshot, an fsync would hold the loop.
    const std::string temporary = path_ + ".new";
    TRY(const UniqueFd file, open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW));
    TRY_VOID(write_all(file.get(), encode()));
    if (std::rename(temporary.c_str(), path_.c_str()) != 0) return fail_errno("agent.snapshot.rename");
    unsaved_ = false;
  }
  if (items_.size() > kItemsResident) {
    clear();
    loaded_ = false;
  }
  return {};
}

Buffer SnapshotDifference::encode() const {
  Buffer out;
  out.reserve(kHeadBytes + items_.size() * kItemBytes + texts_.size() + 4);
  ByteWriter writer(out);
  writer.be(kMagic).le(key_.k0).le(key_.k1).le(static_cast<std::uint64_t>(whole_at_.us));
  writer.le(static_cast<std::uint32_t>(items_.size()));
  for (const Item& item : items_) {
    writer.le(item.identity).le(item.content).le(item.text_bytes);
    writer.text(std::string_view(texts_).substr(item.text_at, item.text_bytes));
  }
  writer.le(crc32c(out));
  return out;
}

bool SnapshotDifference::decode(Bytes file) {
  clear();
  known_ = false;
  const auto read = [&]() -> Result<> {
    if (file.size() < 4) return fail(Errc::truncated, "agent.snapshot.file");
    Cursor in{file.first(file.size() - 4)};
    TRY(const auto checksum, Cursor{file.last(4)}.le<std::uint32_t>());
    TRY(const auto magic, in.be<std::uint32_t>());
    if (magic != kMagic || crc32c(file.first(file.size() - 4)) != checksum) {
      return fail(Errc::malformed, "agent.snapshot.file");
    }
    TRY(key_.k0, in.le<std::uint64_t>());
    TRY(key_.k1, in.le<std::uint64_t>());
    TRY(const auto whole_at, in.le<std::uint64_t>());
    TRY(const auto count, in.le<std::uint32_t>());
    if (count > kItemsMax) return fail(Errc::limit_exceeded, "agent.snapshot.items");
    for (std::uint32_t i = 0; i < count; ++i) {
      Item item;
      TRY(item.identity, in.le<std::uint64_t>());
      TRY(item.content, in.le<std::uint32_t>());
      TRY(item.text_bytes, in.le<std::uint16_t>());
      TRY(const auto text, in.take_text(item.text_bytes));
      if (text.empty() || text.size() > kItemTextMax || texts_.size() + text.size() > kTextBytesMax) {
        return fail(Errc::limit_exceeded, "agent.snapshot.text");
      }
      if (!items_.empty() && items_.back().identity >= item.identity) {
        return fail(Errc::malformed, "agent.snapshot.order");
      }
      item.text_at = static_cast<std::uint32_t>(texts_.size());
      texts_ += text;
      items_.push_back(item);
    }
    if (!in.empty()) return fail(Errc::malformed, "agent.snapshot.end");
    whole_at_ = Timestamp{static_cast<std::int64_t>(whole_at)};
    return {};
  }();
  if (!read) {
    clear();
    return false;
  }
  sorted_ = items_.size();
  known_ = true;
  unsaved_ = false;
  return true;
}

SnapshotReport::SnapshotReport(SnapshotDifference& difference, const Environment& environment, Origin origin,
                               message::EventName event, Priority of_difference, Counters& counters)
    : difference_(difference),
      environment_(environment),
      record_{.time = moment_of(environment.clock), .origin = origin, .event = event},
      counters_(counters),
      whole_(difference.begin(record_.time.wall)) {
  record_.priority = whole_ ? environment.priority : std::max(of_difference, environment.priority);
}

void SnapshotReport::add(std::string text) {
  ++counters_.seen;
  if (text.size() > kEventItemsMax) {
    ++counters_.dropped_user;
    return;
  }
  ++counters_.delivered;
  if (!items_.empty() && items_.size() + 1 + text.size() > kEventBytes) send();
  if (!items_.empty()) items_.push_back(',');
  items_ += text;
}

void SnapshotReport::send() {
  record_.items = items_;
  environment_.sink.emit(record_);
  items_.clear();
  sent_ = true;
}

void SnapshotReport::end() {
  if (!items_.empty() || (whole_ && !sent_)) send();
  difference_.finish();
}

}  // namespace picket::agent
