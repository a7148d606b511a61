// Where a reader stands in a journal.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace picket::journal {

/// Names one record for ever. The embedded journal has one stream, 0; a Kafka journal has one a broker partition.
/// Sequences begin at 1 and have no gaps but those of a reported loss.
struct RecordId {
  std::uint32_t stream = 0;
  std::uint64_t sequence = 0;

  friend auto operator<=>(const RecordId&, const RecordId&) = default;
};

/// "stream-sequence", e.g. "0-42".
std::string to_text(RecordId id);
/// Errors: malformed.
Result<RecordId> parse_record_id(std::string_view text);

/// How far something has come, in every stream: an opaque vector that is compared, stored and handed back, never
/// counted with. The default value is the beginning. Positions are partially ordered: ask `covers`.
class Position {
 public:
  Position() = default;

  /// Everything up to and including `id` has been seen.
  void advance_past(RecordId id);
  /// True when `id` lies before this position.
  [[nodiscard]] bool covers(RecordId id) const;
  /// True when everything before `other` also lies before this position.
  [[nodiscard]] bool covers(const Position& other) const;

  /// "17" or "17,4,9": for files and columns. The beginning is "0".
  [[nodiscard]] std::string to_text() const;
  /// Errors: malformed; limit_exceeded above kStreamsMax components.
  static Result<Position> parse(std::string_view text);

  /// For journal implementations: the next sequence of a stream (0 when nothing was seen of it).
  [[nodiscard]] std::uint64_t next_of(std::uint32_t stream) const;
  static Position at(std::uint32_t stream, std::uint64_t next);

  friend bool operator==(const Position& a, const Position& b) { return a.covers(b) && b.covers(a); }

  static constexpr std::size_t kStreamsMax = 4096;

 private:
  std::vector<std::uint64_t> next_;  // index: stream; value: first sequence not yet seen
};

}  // namespace picket::journal
