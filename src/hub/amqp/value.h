// Values of AMQP 1.0 (OASIS AMQP 1.0, part 1: types): read from hostile bytes, written for clients. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/cursor.h"
#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::hub::amqp {

struct Symbol {
  std::string text;
  friend bool operator==(const Symbol&, const Symbol&) = default;
};
using Uuid = std::array<std::byte, 16>;

struct Value;
using List = std::vector<Value>;
using Map = std::vector<std::pair<Value, Value>>;
/// A value with a descriptor, such as a filter. The descriptor is a symbol, or the decimal text of a number.
struct Described {
  std::string descriptor;
  std::vector<Value> value;  ///< Exactly one; a vector since Value is not complete yet.
};

/// A copy, not a view. Integers keep the width that clients can tell apart: int (and shorter), long, all unsigned ones.
/// Decimals and characters are read as null.
struct Value {
  using Variant = std::variant<std::monostate, bool, std::int32_t, std::int64_t, std::uint64_t, double, std::string,
                               Symbol, Buffer, Uuid, Timestamp, List, Map, Described>;
  Variant held;

  Value() = default;
  template <class T>
    requires std::constructible_from<Variant, T&&> && (!std::same_as<std::remove_cvref_t<T>, Value>)
  Value(T&& from) : held(std::forward<T>(from)) {}  // NOLINT: a value is what it holds
  Value(const char* text) : held(std::string(text)) {}
  Value(std::string_view text) : held(std::string(text)) {}

  [[nodiscard]] bool is_null() const { return std::holds_alternative<std::monostate>(held); }
  template <class T>
  [[nodiscard]] const T* get() const {
    return std::get_if<T>(&held);
  }
  /// Text of strings, symbols and binaries; nullopt for others.
  [[nodiscard]] std::optional<std::string_view> text() const;
  /// Whole numbers of any width that fit.
  [[nodiscard]] std::optional<std::int64_t> integer() const;
};

/// A simple value as text, the way IoT Hub shows it as a property: numbers in decimal, true/false, times as RFC 3339,
/// uuids with dashes; empty for null and for compound values.
std::string to_text(const Value& value);
/// Value of the first entry whose key (string or symbol) is `name`; nullptr: none.
const Value* find(const Map& map, std::string_view name);

std::string to_text(const Uuid& uuid);

inline constexpr int kValueDepthMax = 8;
inline constexpr std::size_t kValueElementsMax = 4096;  ///< Of all lists, maps and arrays of one value together.

/// Reads one value. Errors: truncated, malformed (unknown format code, sizes that do not agree), limit_exceeded (deeper
/// than kValueDepthMax, more elements than kValueElementsMax). `in` has moved by the value, or is undefined after an
/// error.
Result<Value> read_value(Cursor& in);
/// Reads the descriptor of a described value when it is a small number, such as 0x75; a symbol or a large number
/// gives 0. Error malformed: not a described value.
Result<std::uint64_t> read_descriptor(Cursor& in);
/// Bytes of a binary value, as a view. Error malformed: something else.
Result<Bytes> read_binary(Cursor& in);
/// Passes over a value without looking inside.
Result<> skip_value(Cursor& in);

void write_value(Buffer& out, const Value& value);
/// 0x00 and a small number.
void write_descriptor(Buffer& out, std::uint8_t code);
void write_binary(Buffer& out, Bytes bytes);

}  // namespace picket::hub::amqp
