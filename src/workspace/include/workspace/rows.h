// Rows on their way into a workspace: small tagged values that own nothing.
#pragma once

#include <compare>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/core/time.h"
#include "workspace/schema.h"

namespace picket::workspace {

/// Names one row for ever: the journal sequence of the record, the event in it, the payload item in that.
struct RowId {
  std::uint64_t sequence = 0;
  std::uint32_t event = 0;
  std::uint32_t item = 0;

  friend auto operator<=>(const RowId&, const RowId&) = default;
};

/// One value. Text is borrowed: of the caller until append() returns, of the QueryResult in results.
class Cell {
 public:
  enum class Kind : std::uint8_t { null, boolean, integer, real, text, timestamp };

  constexpr Cell() = default;
  static constexpr Cell null() { return {}; }
  static constexpr Cell boolean(bool value) { return Cell(Kind::boolean, value ? 1 : 0); }
  static constexpr Cell integer(std::int64_t value) { return Cell(Kind::integer, value); }
  static constexpr Cell timestamp(Timestamp value) { return Cell(Kind::timestamp, value.us); }
  static constexpr Cell real(double value) {
    Cell cell(Kind::real, 0);
    cell.real_ = value;
    return cell;
  }
  static constexpr Cell text(std::string_view value) {
    Cell cell(Kind::text, 0);
    cell.data_ = value.data();
    cell.size_ = value.size();
    return cell;
  }

  [[nodiscard]] constexpr Kind kind() const { return kind_; }
  [[nodiscard]] constexpr bool is_null() const { return kind_ == Kind::null; }
  /// Each is meaningful for its own kind only.
  [[nodiscard]] constexpr bool as_boolean() const { return integer_ != 0; }
  [[nodiscard]] constexpr std::int64_t as_integer() const { return integer_; }
  [[nodiscard]] constexpr double as_real() const { return real_; }
  [[nodiscard]] constexpr Timestamp as_timestamp() const { return {integer_}; }
  [[nodiscard]] constexpr std::string_view as_text() const { return {data_, size_}; }

 private:
  constexpr Cell(Kind kind, std::int64_t integer) : integer_(integer), kind_(kind) {}

  union {
    std::int64_t integer_ = 0;
    double real_;
    const char* data_;
  };
  std::size_t size_ = 0;
  Kind kind_ = Kind::null;
};

/// One row for append(). `cells` are in the order of TableSchema::columns; fewer cells mean null for the rest.
/// A column takes null or its own kind: boolean; int32 and int64 integer (int32: in range); real; text and json text;
/// timestamp.
struct Row {
  TableIndex table = 0;
  RowId id;
  Timestamp ingested;  ///< When the hub took the message in.
  std::span<const Cell> cells;
};

}  // namespace picket::workspace
