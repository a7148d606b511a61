#include "embedded_reader.h"

#include <algorithm>

#include <fcntl.h>

namespace picket::journal {

bool EmbeddedReader::wait(Duration timeout) { return journal_.wait_durable(sequence_, timeout, interrupted_); }

Result<Batch> EmbeddedReader::read(std::size_t bytes_max) {
  records_.clear();
  property_ends_.clear();
  properties_.clear();
  batch_bytes_ = 0;
  corruption_.reset();
  // Views live in the segment reader's window: the first record may move it, the others may not.
  while (records_.empty()) {
    TRY(const bool more, step());
    if (!more) break;
  }
  while (!records_.empty() && batch_bytes_ < bytes_max) {
    const auto item = segment_->next_in_window();
    if (!item) break;  // damage, or the end of the window: the next read meets it
    add(*item);
  }
  return finish();
}

/// Takes one step forward. False: nothing more is durable.
Result<bool> EmbeddedReader::step() {
  const auto located = journal_.locate(sequence_);
  if (!located) return fail(Errc::not_found, "journal.read.expired", sequence_);
  if (!segment_ || segment_first_ != located->segment.first_sequence) TRY_VOID(open_segment(*located));
  if (!located->segment.readable) {
    const std::uint64_t next = located->next_segment_first;
    if (next == 0) return false;
    return meet({}, {path_, 0, located->segment.bytes, sequence_, next});
  }
  TRY(const SegmentItem item, segment_->next(located->segment.bytes));
  const std::uint64_t next_first =
      located->next_segment_first != 0 ? located->next_segment_first : journal_.durable_end();
  switch (item.kind) {
    case SegmentItem::Kind::record:
      add(item);
      return true;
    case SegmentItem::Kind::corrupt:
      return meet(item, {path_, item.begin, item.end, sequence_, item.next_sequence});
    case SegmentItem::Kind::tail:
      return meet(item, {path_, item.begin, item.end, sequence_, next_first});
    case SegmentItem::Kind::end:
      if (located->next_segment_first == 0) return false;
      // All of this segment is read, and still the next one begins later: records are missing.
      return meet(item, {path_, item.begin, item.end, sequence_, next_first});
  }
  return false;
}

Result<> EmbeddedReader::open_segment(const EmbeddedJournal::Located& located) {
  TRY(UniqueFd fd, open_file(located.segment.path, O_RDONLY));
  source_ = std::make_unique<FileSource>(std::move(fd));
  segment_first_ = located.segment.first_sequence;
  path_ = located.segment.path;
  segment_.emplace(*source_, located.segment.salt, kFileHeaderBytes, segment_first_);
  // There is no index: a segment is bounded, and a reader seeks once in its life.
  while (located.segment.readable && segment_->sequence() < sequence_) {
    TRY(const SegmentItem item, segment_->next(located.segment.bytes));
    if (item.kind == SegmentItem::Kind::record) continue;
    if (item.kind != SegmentItem::Kind::corrupt || item.next_sequence > sequence_) break;
    segment_->skip(item);
  }
  return {};
}

void EmbeddedReader::add(const SegmentItem& item) {
  parse_properties(item.record, properties_);
  property_ends_.push_back(properties_.size());
  records_.push_back(item.record.view);
  batch_bytes_ += item.record.bytes;
  sequence_ = item.record.view.id.sequence + 1;
}

/// Damage: pass it if the operator has said so, else stop here.
Result<bool> EmbeddedReader::meet(const SegmentItem& item, Corruption corruption) {
  if (journal_.passes_loss(corruption)) {
    sequence_ = corruption.next_sequence;
    SegmentItem behind = item;
    behind.next_sequence = corruption.next_sequence;
    segment_->skip(behind);
    return true;
  }
  journal_.note_corruption(corruption);
  corruption_ = std::move(corruption);
  return fail(Errc::malformed, "journal.read.corrupt", item.begin);
}

Result<Batch> EmbeddedReader::finish() {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < records_.size(); ++i) {
    records_[i].properties = std::span<const Property>(properties_).subspan(begin, property_ends_[i] - begin);
    begin = property_ends_[i];
  }
  return Batch{records_, position()};
}

}  // namespace picket::journal
