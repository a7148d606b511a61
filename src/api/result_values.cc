#include "result_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace picket::api {
namespace {

// [-][d.]hh:mm:ss[.fffffff]
std::string format_timespan(std::int64_t ticks) {
  const bool negative = ticks < 0;
  auto rest = negative ? ~static_cast<std::uint64_t>(ticks) + 1 : static_cast<std::uint64_t>(ticks);
  const auto take = [&rest](std::int64_t unit) {
    const auto count = rest / static_cast<std::uint64_t>(unit);
    rest %= static_cast<std::uint64_t>(unit);
    return count;
  };
  const auto days = take(kql::kTicksPerDay);
  std::string out = negative ? "-" : "";
  if (days > 0) out += fmt::format("{}.", days);
  const auto hours = take(kql::kTicksPerHour);
  const auto minutes = take(kql::kTicksPerMinute);
  const auto seconds = take(kql::kTicksPerSecond);
  out += fmt::format("{:02}:{:02}:{:02}", hours, minutes, seconds);
  if (rest > 0) out += fmt::format(".{:07}", rest);
  return out;
}

constexpr Duration kLongest = Duration::days(36'525);  // of one part; more is a mistake

struct Unit {
  char letter;
  Duration length;
};

// Reads "<number><letter>" parts in the order of `units`; each may have a fraction. False: something else stands
// there.
bool read_units(std::string_view& text, std::initializer_list<Unit> units, Duration& out) {
  for (const Unit& unit : units) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc{} || !(number >= 0)) continue;
    const auto used = static_cast<std::size_t>(end - text.data());
    if (used >= text.size() || text[used] != unit.letter) continue;
    if (number * static_cast<double>(unit.length.us) > static_cast<double>(kLongest.us)) return false;
    out = out + Duration::microseconds(std::llround(number * static_cast<double>(unit.length.us)));
    text.remove_prefix(used + 1);
  }
  return text.empty() || text.front() == 'T';
}

std::optional<Duration> parse_duration(std::string_view text) {
  if (!text.starts_with('P') || text.size() < 3) return std::nullopt;
  text.remove_prefix(1);
  Duration out{};
  if (!read_units(text, {{'W', Duration::days(7)}, {'D', Duration::days(1)}}, out)) return std::nullopt;
  if (text.empty()) return out;
  text.remove_prefix(1);  // T
  if (text.empty()) return std::nullopt;
  if (!read_units(text, {{'H', Duration::hours(1)}, {'M', Duration::minutes(1)}, {'S', Duration::seconds(1)}}, out))
    return std::nullopt;
  return text.empty() ? std::optional(out) : std::nullopt;
}

// What a duration such as PT1H adds to now at its end: a device's clock may be ahead by up to 5 minutes (decisions:
// time); its events are part of "the last hour".
constexpr Duration kAhead = Duration::minutes(5) + Duration::microseconds(1);

void write_real(JsonWriter& out, double value, Dialect dialect) {
  if (dialect == Dialect::rest || std::isfinite(value)) {
    out.value(value);
  } else {
    out.value(std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
  }
}

void write_dynamic(JsonWriter& out, std::string_view json, Dialect dialect) {
  if (dialect == Dialect::rest || dialect == Dialect::kusto_v2)
    json.empty() ? out.null() : out.raw(json);
  else
    out.value(json);
}

}  // namespace

TextSpan to_utf16(const kql::Span& span, std::string_view text) {
  TextSpan out;
  const std::size_t begin = std::min(span.start, text.size());
  const std::size_t end = std::min(span.end(), text.size());
  const auto units = [text](std::size_t at) -> std::size_t {
    const auto byte = static_cast<unsigned char>(text[at]);
    if ((byte & 0xC0) == 0x80) return 0;  // inside a character
    return byte >= 0xF0 ? 2 : 1;
  };
  for (std::size_t at = 0; at < end; ++at) {
    (at < begin ? out.start : out.length) += units(at);
    if (at >= begin) continue;
    out.column += units(at);
    if (text[at] == '\n') {
      ++out.line;
      out.column = 1;
    }
  }
  return out;
}

std::string timespan_text(std::int64_t ticks) { return format_timespan(ticks); }

std::optional<kql::TimeRange> parse_timespan(std::string_view text, Timestamp now) {
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const std::string_view first = text.substr(0, slash);
    const std::string_view second = text.substr(slash + 1);
    const auto from = parse_rfc3339(first);
    const auto to = parse_rfc3339(second);
    if (from && to) return *to < *from ? std::nullopt : std::optional(kql::TimeRange{*from, *to});
    if (const auto length = parse_duration(second); from && length) return kql::TimeRange{*from, *from + *length};
    if (const auto length = parse_duration(first); to && length) return kql::TimeRange{*to - *length, *to};
    return std::nullopt;
  }
  const auto back = parse_duration(text);
  if (!back) return std::nullopt;
  return kql::TimeRange{now - *back, now + kAhead};
}

void write_value(JsonWriter& out, kql::Type type, const workspace::Cell& cell, Dialect dialect) {
  using Kind = workspace::Cell::Kind;
  switch (cell.kind()) {
    case Kind::null:
      type == kql::Type::string ? out.value("") : out.null();
      return;
    case Kind::boolean:
      out.value(cell.as_boolean());
      return;
    case Kind::integer:
      if (type == kql::Type::timespan)
        out.value(format_timespan(cell.as_integer()));
      else if (type == kql::Type::boolean)
        out.value(cell.as_integer() != 0);
      else
        out.value(cell.as_integer());
      return;
    case Kind::real:
      write_real(out, cell.as_real(), dialect);
      return;
    case Kind::timestamp:
      out.value(cell.as_timestamp());
      return;
    case Kind::text:
      type == kql::Type::dynamic ? write_dynamic(out, cell.as_text(), dialect)
                                 : static_cast<void>(out.value(cell.as_text()));
      return;
  }
}

}  // namespace picket::api
