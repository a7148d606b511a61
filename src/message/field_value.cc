#include "field_value.h"

#include <array>
#include <charconv>
#include <cmath>

namespace picket::message {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

template <class Number>
std::optional<Number> number_in(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class Number>
std::string_view text_of(Number number, SecurityMessage::Arena& arena) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), number);
  return arena.store({text.data(), static_cast<std::size_t>(result.ptr - text.data())});
}

std::optional<std::int64_t> whole(double number) {
  constexpr double kLimit = 9'007'199'254'740'992.0;  // beyond 2^53 a double no longer says which integer was meant
  if (!(std::fabs(number) < kLimit) || number != std::floor(number)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

std::optional<bool> boolean_in(std::string_view text) {
  if (text == "true" || text == "True") return true;
  if (text == "false" || text == "False") return false;
  return std::nullopt;
}

template <class T>
std::optional<Value> maybe(std::optional<T> value) {
  if (!value) return std::nullopt;
  return Value(*value);
}

std::optional<Value> value_in(std::string_view text, ColumnType type, SecurityMessage::Arena& arena) {
  switch (type) {
    case ColumnType::text:
      return Value(arena.store(text));
    case ColumnType::integer:
      return maybe(number_in<std::int64_t>(text));
    case ColumnType::real:
      return maybe(number_in<double>(text));
    case ColumnType::boolean:
      return maybe(boolean_in(text));
    case ColumnType::datetime: {
      const auto time = parse_rfc3339(text);
      if (!time) return std::nullopt;
      return Value(*time);
    }
  }
  return std::nullopt;
}

Converted convert_string(std::string_view text, ColumnType type, SecurityMessage::Arena& arena) {
  auto value = value_in(text, type, arena);
  bool exact = false;
  // NUL ends a string in too many places behind us; the details keep it.
  if (type == ColumnType::text) exact = text.find('\0') == std::string_view::npos;
  // Only the form that we write ourselves reads the same as text and as a time.
  if (type == ColumnType::datetime && value) exact = format_rfc3339(std::get<Timestamp>(*value)) == text;
  return {std::move(value), exact};
}

template <class Number>
Converted convert_number(Number number, ColumnType type, SecurityMessage::Arena& arena) {
  switch (type) {
    case ColumnType::text:
      return {Value(text_of(number, arena)), false};
    case ColumnType::real:
      return {Value(static_cast<double>(number)), std::is_same_v<Number, double>};
    case ColumnType::integer:
      if constexpr (std::is_same_v<Number, std::int64_t>) return {Value(number), true};
      if constexpr (std::is_same_v<Number, double>) return {maybe(whole(number)), false};
      return {std::nullopt, false};
    default:
      return {std::nullopt, false};
  }
}

bool is_number_text(std::string_view raw) {
  return !raw.empty() && (raw.front() == '-' || (raw.front() >= '0' && raw.front() <= '9'));
}

}  // namespace

Converted convert(const element& element, std::string_view raw, ColumnType type, SecurityMessage::Arena& arena) {
  switch (element.type()) {
    case element_type::NULL_VALUE:
      return {std::nullopt, true};
    case element_type::STRING:
      if (is_number_text(raw)) return convert_text(raw, type, arena);
      return convert_string(element.get_string().value_unsafe(), type, arena);
    case element_type::INT64:
      return convert_number(element.get_int64().value_unsafe(), type, arena);
    case element_type::UINT64:
      return convert_number(element.get_uint64().value_unsafe(), type, arena);
    case element_type::DOUBLE:
      return convert_number(element.get_double().value_unsafe(), type, arena);
    case element_type::BOOL: {
      const bool truth = element.get_bool().value_unsafe();
      if (type == ColumnType::boolean) return {Value(truth), true};
      if (type == ColumnType::text) return {Value(std::string_view(truth ? "true" : "false")), false};
      return {std::nullopt, false};
    }
    case element_type::ARRAY:
    case element_type::OBJECT:
      return {std::nullopt, false};
  }
  return {std::nullopt, false};
}

Converted convert_text(std::string_view text, ColumnType type, SecurityMessage::Arena& arena) {
  return {value_in(text, type, arena), false};
}

}  // namespace picket::message
