// Reader of the embedded journal.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "embedded_journal.h"

namespace picket::journal {

class EmbeddedReader final : public Reader {
 public:
  EmbeddedReader(EmbeddedJournal& journal, std::uint64_t sequence) : journal_(journal), sequence_(sequence) {}

  Result<Batch> read(std::size_t bytes_max) override;
  bool wait(Duration timeout) override;
  void interrupt() override { journal_.interrupt(interrupted_); }
  Position position() const override { return Position::at(0, sequence_); }
  const std::optional<Corruption>& corruption() const override { return corruption_; }

 private:
  Result<> open_segment(const EmbeddedJournal::Located& located);
  Result<> seek();
  Result<bool> step();
  void add(const SegmentItem& item);
  Result<bool> meet(const SegmentItem& item, Corruption corruption);
  Result<Batch> finish();

  EmbeddedJournal& journal_;
  std::uint64_t sequence_;    // next record to give
  bool interrupted_ = false;  // under the journal's mutex
  std::optional<Corruption> corruption_;

  // The open segment; absent: found again by sequence_.
  std::uint64_t segment_first_ = 0;
  std::string path_;
  std::unique_ptr<FileSource> source_;
  std::optional<SegmentReader> segment_;

  std::vector<RecordView> records_;
  std::vector<std::size_t> property_ends_;
  std::vector<Property> properties_;
  std::size_t batch_bytes_ = 0;
};

}  // namespace picket::journal
