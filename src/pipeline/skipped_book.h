// What gave no rows because it had been here before, so that rows can be made anew without the state of that moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/core/byte_writer.h"
#include "base/core/cursor.h"
#include "base/core/result.h"

namespace picket::pipeline {

/// A record, or one event of it, that was a duplicate.
struct Skipped {
  static constexpr std::uint32_t kWholeRecord = 0xFFFF'FFFF;

  std::uint64_t sequence = 0;
  std::uint32_t event = kWholeRecord;  ///< Place in the message's list of events, as in row ids.

  friend bool operator==(const Skipped&, const Skipped&) = default;
};

/// The duplicates among the records after from(), ascending. A checkpoint carries it: a restart makes the rows of
/// records before that checkpoint anew from the records and this list alone. Bound: kEntriesMax; what does not fit
/// makes it know less of the past, never something wrong.
class SkippedBook {
 public:
  static constexpr std::size_t kEntriesMax = 131'072;

  /// Knows everything about records above this sequence.
  [[nodiscard]] std::uint64_t from() const { return from_; }
  [[nodiscard]] std::span<const Skipped> entries() const { return entries_; }
  /// Those of one record.
  [[nodiscard]] std::span<const Skipped> of(std::uint64_t sequence) const;

  /// `sequence` is not below that of any entry. A full book forgets its older half.
  void add(Skipped skipped);
  /// One record more fits, whatever it holds.
  [[nodiscard]] bool has_room() const;
  /// Rows up to here are not made anew any more.
  void forget_through(std::uint64_t sequence);

  void encode(ByteWriter& out) const;
  /// Errors: truncated; malformed "checkpoint.skipped": not ascending, above from and below kEntriesMax.
  static Result<SkippedBook> decode(Cursor& in);

  friend bool operator==(const SkippedBook&, const SkippedBook&) = default;

 private:
  std::uint64_t from_ = 0;
  std::vector<Skipped> entries_;
};

}  // namespace picket::pipeline
