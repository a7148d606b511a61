#include "test_run.h"

namespace picket::sigma {
namespace {

std::optional<double> number_of(const Value& value) {
  double out = 0;
  switch (value.kind) {
    case Value::Kind::integer:
      return static_cast<double>(value.integer);
    case Value::Kind::real:
      return value.real;
    case Value::Kind::text:
      if (parse_number(value.text, out)) return out;
      return std::nullopt;
    case Value::Kind::null:
      return std::nullopt;
  }
  return std::nullopt;
}

bool same(std::string_view a, std::string_view b, bool cased) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && (cased || fold(a[i]) != fold(b[i]))) return false;
  }
  return true;
}

}  // namespace

std::string_view text_of_value(const Value& value, NumberText& buffer) {
  switch (value.kind) {
    case Value::Kind::text:
      return value.text;
    case Value::Kind::integer:
      write_number(value.integer, buffer);
      return buffer.view();
    case Value::Kind::real:
      write_number(value.real, buffer);
      return buffer.view();
    case Value::Kind::null:
      break;
  }
  return {};
}

bool passes(const Test& test, const re2::RE2* regex, const Value& value, std::string_view text) {
  if (value.kind == Value::Kind::null) return false;
  switch (test.kind) {
    case Test::Kind::text:
      return matches(test.pattern, text);
    case Test::Kind::regex:
      return regex->Match(re2::StringPiece(text.data(), text.size()), 0, text.size(), re2::RE2::UNANCHORED, nullptr, 0);
    case Test::Kind::network:
      return contains(test.network, text);
    case Test::Kind::number: {
      const auto number = number_of(value);
      return number && holds(test.comparison, *number, test.number);
    }
    case Test::Kind::time: {
      const auto part = value.kind == Value::Kind::text ? time_part_of_text(test.part, text)
                                                        : time_part_of_number(test.part, *number_of(value));
      return part && holds(test.comparison, *part, test.number);
    }
    case Test::Kind::null:
    case Test::Kind::exists:
    case Test::Kind::field:
      break;
  }
  return false;
}

bool refers(const Test& test, std::string_view text, std::string_view other) {
  const bool cased = test.pattern.cased;
  if (other.size() > text.size()) return false;
  if (!test.open_begin && !test.open_end) return same(text, other, cased);
  if (!test.open_begin) return same(text.substr(0, other.size()), other, cased);
  if (!test.open_end) return same(text.substr(text.size() - other.size()), other, cased);
  for (std::size_t at = 0; at + other.size() <= text.size(); ++at) {
    if (same(text.substr(at, other.size()), other, cased)) return true;
  }
  return false;
}

}  // namespace picket::sigma
