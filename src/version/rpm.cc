// rpm's order: segments of digits or letters, '~' before the end, '^' behind it.
#include <optional>

#include "digits.h"
#include "schemes.h"

namespace picket::version {
namespace {

/// The kinds of segment, lowest first: that and the text decide.
enum class Kind : std::uint8_t { tilde, end, caret, letters, number };

struct Segment {
  Kind kind = Kind::end;
  std::string_view text;
};

Segment take_segment(std::string_view& rest) {
  take_while(rest, [](char c) { return !is_digit(c) && !is_alpha(c) && c != '~' && c != '^'; });
  if (rest.empty()) return {};
  const char first = rest.front();
  if (first == '~' || first == '^') {
    rest.remove_prefix(1);
    return {first == '~' ? Kind::tilde : Kind::caret, {}};
  }
  if (is_digit(first)) return {Kind::number, take_while(rest, is_digit)};
  return {Kind::letters, take_while(rest, is_alpha)};
}

std::weak_ordering compare_segments(std::string_view a, std::string_view b) {
  for (;;) {
    const Segment left = take_segment(a), right = take_segment(b);
    if (left.kind != right.kind) return left.kind <=> right.kind;
    if (left.kind == Kind::end) return std::weak_ordering::equivalent;
    const auto order =
        left.kind == Kind::number ? compare_numbers(left.text, right.text) : left.text.compare(right.text) <=> 0;
    if (order != 0) return order;
  }
}

struct Parts {
  std::string_view epoch = "0", version;
  std::optional<std::string_view> release;
};

Parts split(std::string_view text) {
  Parts out;
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    out.epoch = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  const auto dash = text.find('-');
  out.version = text.substr(0, dash);
  if (dash != std::string_view::npos) out.release = text.substr(dash + 1);
  return out;
}

}  // namespace

std::weak_ordering compare_rpm(std::string_view a, std::string_view b) {
  const Parts left = split(a), right = split(b);
  if (const auto order = compare_segments(left.epoch, right.epoch); order != 0) return order;
  if (const auto order = compare_segments(left.version, right.version); order != 0) return order;
  if (left.release.has_value() != right.release.has_value())
    return left.release.has_value() <=> right.release.has_value();
  return left.release ? compare_segments(*left.release, *right.release) : std::weak_ordering::equivalent;
}

}  // namespace picket::version
