// Walks the records of one segment and tells damage from a torn tail. Used at the start, by readers and by the fuzzer.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/core/bytes.h"
#include "base/core/result.h"
#include "format.h"

namespace picket::journal {

/// Bytes of a segment by position: a file, or memory in tests.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Fills `out` wholly from `offset` on. The caller asks only for what exists. Errors: io, truncated.
  virtual Result<> read_at(std::uint64_t offset, std::span<std::byte> out) const = 0;
};

struct SegmentItem {
  enum class Kind : std::uint8_t {
    record,   ///< `record` is good; its sequence is the expected one.
    corrupt,  ///< [begin, end) is damaged; a record with `next_sequence` stands at `end` (or there are missing
              ///< sequences: begin == end).
    tail,     ///< From `begin` to the limit nothing is readable: a torn or damaged tail, or a record not fully there.
    end,      ///< Everything up to the limit was read.
  };
  Kind kind = Kind::end;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t next_sequence = 0;  ///< Of the record at `end`, for corrupt.
  DecodedRecord record;             ///< Views into the reader's window: until next().
};

/// Not thread-safe. Memory: one window, kWindowBytes or one record.
class SegmentReader {
 public:
  /// Begins at `offset`, where the record with `sequence` is expected. `source` outlives the reader.
  SegmentReader(const ByteSource& source, std::uint32_t salt, std::uint64_t offset, std::uint64_t sequence)
      : source_(&source), salt_(salt), offset_(offset), sequence_(sequence) {}

  /// The next item below `limit` (bytes of the segment that may be read). A corrupt item is given again and again until
  /// skip(); a tail until the limit grows.
  Result<SegmentItem> next(std::uint64_t limit);
  /// Goes on behind a corrupt item.
  void skip(const SegmentItem& corrupt);
  /// The next good record if it lies wholly in the window; reads nothing, so views given before stay valid.
  std::optional<SegmentItem> next_in_window();

  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] std::uint64_t sequence() const { return sequence_; }

  static constexpr std::size_t kWindowBytes = 1U << 20;

 private:
  Result<Bytes> window_at(std::uint64_t offset, std::size_t wanted, std::uint64_t limit);
  Result<SegmentItem> resync(std::uint64_t limit);
  SegmentItem pass(const DecodedRecord& record);

  const ByteSource* source_;
  std::uint32_t salt_;
  std::uint64_t offset_;
  std::uint64_t sequence_;
  Buffer window_;
  std::uint64_t window_begin_ = 0;
};

}  // namespace picket::journal
