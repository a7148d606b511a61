#include "segment_reader.h"

#include <algorithm>

namespace picket::journal {

/// At least min(wanted, limit - offset) bytes from offset on; moves the window only when they are not in it.
Result<Bytes> SegmentReader::window_at(std::uint64_t offset, std::size_t wanted, std::uint64_t limit) {
  const auto possible = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, limit - offset));
  const std::uint64_t window_end = window_begin_ + window_.size();
  if (offset < window_begin_ || offset > window_end || window_end - offset < possible) {
    const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(std::max(wanted, kWindowBytes), limit - offset));
    window_.resize(size);
    window_begin_ = offset;
    if (auto read = source_->read_at(offset, window_); !read) {
      window_.clear();
      return std::unexpected(read.error());
    }
  }
  return Bytes(window_).subspan(static_cast<std::size_t>(offset - window_begin_));
}

std::optional<SegmentItem> SegmentReader::next_in_window() {
  if (offset_ < window_begin_ || offset_ >= window_begin_ + window_.size()) return std::nullopt;
  Cursor in(Bytes(window_).subspan(static_cast<std::size_t>(offset_ - window_begin_)));
  const auto record = parse_record(in, salt_);
  if (!record || !*record || (*record)->view.id.sequence != sequence_) return std::nullopt;
  return pass(**record);
}

SegmentItem SegmentReader::pass(const DecodedRecord& record) {
  SegmentItem item{.kind = SegmentItem::Kind::record, .begin = offset_, .end = offset_ + record.bytes};
  item.record = record;
  offset_ = item.end;
  ++sequence_;
  return item;
}

Result<SegmentItem> SegmentReader::next(std::uint64_t limit) {
  SegmentItem item{.begin = offset_, .end = offset_};
  if (offset_ >= limit) return item;
  TRY(Bytes bytes, window_at(offset_, kRecordHeaderBytes, limit));
  if (const auto size = announced_size(bytes); size && *size > bytes.size()) {
    TRY(bytes, window_at(offset_, *size, limit));
  }
  bytes = bytes.first(static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), limit - offset_)));
  Cursor in(bytes);
  const auto record = parse_record(in, salt_);
  if (!record || !*record || (*record)->view.id.sequence < sequence_) return resync(limit);
  const std::uint64_t found = (*record)->view.id.sequence;
  if (found > sequence_) {
    item.kind = SegmentItem::Kind::corrupt;
    item.next_sequence = found;
    return item;
  }
  return pass(**record);
}

/// Looks for the next good record behind damage. Cheap tests first: a CRC is computed for next to no false start.
Result<SegmentItem> SegmentReader::resync(std::uint64_t limit) {
  SegmentItem item{.kind = SegmentItem::Kind::tail, .begin = offset_, .end = limit, .next_sequence = sequence_};
  const std::uint64_t sequence_max = sequence_ + (limit - offset_) / kRecordHeaderBytes + 1;
  for (std::uint64_t at = offset_ + 1; at < limit && limit - at >= kRecordHeaderBytes; ++at) {
    TRY(Bytes bytes, window_at(at, kRecordHeaderBytes, limit));
    if (!plausible_record(bytes, sequence_, sequence_max)) continue;
    const std::size_t size = *announced_size(bytes);
    if (size > limit - at) continue;
    TRY(bytes, window_at(at, size, limit));
    Cursor in(bytes);
    const auto record = parse_record(in, salt_);
    if (!record || !*record) continue;
    item.kind = SegmentItem::Kind::corrupt;
    item.end = at;
    item.next_sequence = (*record)->view.id.sequence;
    return item;
  }
  return item;
}

void SegmentReader::skip(const SegmentItem& corrupt) {
  offset_ = corrupt.end;
  sequence_ = corrupt.next_sequence;
}

}  // namespace picket::journal
