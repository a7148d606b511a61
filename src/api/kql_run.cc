#include "kql_run.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include "base/server/log.h"

namespace picket::api {
namespace {

constexpr Duration kQueryTimeout = Duration::seconds(30);
constexpr std::size_t kResultBytesMax = 32U << 20;

workspace::Cell cell_of(const kql::Value& value) {
  using workspace::Cell;
  if (value.is_null()) return Cell::null();
  if (const auto* text = std::get_if<std::string>(&value.data)) return Cell::text(*text);
  if (const auto* truth = std::get_if<bool>(&value.data)) return Cell::boolean(*truth);
  if (const auto* real = std::get_if<double>(&value.data)) return Cell::real(*real);
  const auto number = std::get<std::int64_t>(value.data);
  return value.type == kql::Type::datetime ? Cell::timestamp({number}) : Cell::integer(number);
}

ApiError from_diagnostic(const kql::Diagnostic& diagnostic, std::string_view query) {
  TextSpan span = to_utf16(diagnostic.span, query);
  return {
      .code = "query_" + std::string(diagnostic.code), .message = diagnostic.message, .target = "query", .span = span};
}

ApiError from_engine(const workspace::QueryError& error) {
  using Kind = workspace::QueryError::Kind;
  switch (error.kind) {
    case Kind::invalid:
      return {.code = "query_failed", .message = error.text, .target = "query"};
    case Kind::timeout:
      return {.code = "query_limit",
              .message = "The query ran out of its 30 seconds; narrow it to a shorter time or fewer devices.",
              .target = "query"};
    case Kind::memory:
      return {.code = "query_limit",
              .message = "The query ran out of its memory; summarize or filter earlier.",
              .target = "query"};
    case Kind::cancelled:
    case Kind::busy:
      return {.code = "busy"};
    case Kind::internal:
      log::error("api", "query failed: {}", error.text);
      return {.code = "internal"};
  }
  return {.code = "internal"};
}

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

struct Unit {
  char letter;
  Duration length;
};

// Reads "<number><letter>" parts in the order of `units`; false: something else stands there.
bool read_units(std::string_view& text, std::initializer_list<Unit> units, Duration& out) {
  for (const Unit& unit : units) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0 || number > 100'000) continue;
    const auto used = static_cast<std::size_t>(end - text.data());
    if (used >= text.size() || text[used] != unit.letter) continue;
    out = out + unit.length * number;
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

std::optional<kql::TimeRange> parse_timespan(std::string_view text, Timestamp now) {
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos) {
    const auto from = parse_rfc3339(text.substr(0, slash));
    const auto to = parse_rfc3339(text.substr(slash + 1));
    if (!from || !to || *to < *from) return std::nullopt;
    return kql::TimeRange{*from, *to};
  }
  const auto back = parse_duration(text);
  if (!back) return std::nullopt;
  // A device's clock may be ahead by up to 5 minutes (decisions: time); its events are part of "the last hour".
  return kql::TimeRange{now - *back, now + Duration::minutes(5) + Duration::microseconds(1)};
}

std::expected<KqlTable, ApiError> run_kql(const Services& services, std::string_view query, const kql::Options& options,
                                          std::size_t rows_max, const std::stop_token& stopping) {
  const auto compiled = kql::compile(query, services.kql_schema, options);
  if (!compiled) return std::unexpected(from_diagnostic(compiled.error().front(), query));
  workspace::QueryRequest request{.sql = compiled->sql,
                                  .rows_max = rows_max,
                                  .bytes_max = kResultBytesMax,
                                  .timeout = kQueryTimeout,
                                  .cancellation = stopping};
  for (const kql::Value& value : compiled->binds) request.binds.push_back(cell_of(value));
  if (options.time_range) {
    request.time_from = options.time_range->from;
    request.time_to = options.time_range->to;
  }
  auto outcome = services.workspace.query(request);
  if (!outcome) return std::unexpected(from_engine(outcome.error()));
  return KqlTable{compiled->columns, *std::move(outcome)};
}

void write_value(JsonWriter& out, kql::Type type, const workspace::Cell& cell) {
  using Kind = workspace::Cell::Kind;
  switch (cell.kind()) {
    case Kind::null:
      if (type == kql::Type::string)
        out.value("");
      else
        out.null();
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
      out.value(cell.as_real());
      return;
    case Kind::timestamp:
      out.value(cell.as_timestamp());
      return;
    case Kind::text:
      if (type == kql::Type::dynamic)
        cell.as_text().empty() ? out.null() : out.raw(cell.as_text());
      else
        out.value(cell.as_text());
      return;
  }
}

}  // namespace picket::api
