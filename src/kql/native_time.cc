// Times as texts of a chosen form.
#include <array>
#include <chrono>
#include <cstdio>

#include "kql/native_text.h"
#include "kql/value.h"

namespace picket::kql {

namespace {

std::string digits(std::int64_t value, int width) {
  std::array<char, 24> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%0*lld", width, static_cast<long long>(value));
  return buffer.data();
}

/// Calls `part(letter, count)` for each run of one letter; other characters stand for themselves.
template <class PartFn>
std::optional<std::string> apply_format(std::string_view format, std::string_view separators, PartFn part) {
  std::string out;
  for (std::size_t i = 0; i < format.size();) {
    const char c = format[i];
    std::size_t end = i;
    while (end < format.size() && format[end] == c) ++end;
    if (separators.contains(c)) {
      out.append(end - i, c);
    } else {
      const std::optional<std::string> text = part(c, static_cast<int>(end - i));
      if (!text) return std::nullopt;
      out += *text;
    }
    i = end;
  }
  return out;
}

/// Fractions of a second: f prints all digits, F leaves zeros at the end out.
std::string fraction(std::int64_t ticks, int count, bool shortened) {
  auto text = digits(ticks, 7).substr(0, static_cast<std::size_t>(count));
  while (shortened && text.ends_with('0')) text.pop_back();
  return text;
}

}  // namespace

std::optional<std::string> format_datetime(std::int64_t microseconds, std::string_view format) {
  using namespace std::chrono;
  const sys_time<std::chrono::microseconds> time{std::chrono::microseconds(microseconds)};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  const auto hour = clock.hours().count();
  const auto year = static_cast<int>(date.year());
  const auto ticks = clock.subseconds().count() * kTicksPerMicrosecond;
  return apply_format(format, " /-:,.[]_", [&](char c, int count) -> std::optional<std::string> {
    switch (c) {
      case 'y':
        if (count == 4) return digits(year, 4);
        return count == 2 ? std::optional(digits(year % 100, 2)) : std::nullopt;
      case 'M':
        return count <= 2 ? std::optional(digits(static_cast<unsigned>(date.month()), count)) : std::nullopt;
      case 'd':
        return count <= 2 ? std::optional(digits(static_cast<unsigned>(date.day()), count)) : std::nullopt;
      case 'H':
        return count <= 2 ? std::optional(digits(hour, count)) : std::nullopt;
      case 'h':
        return count <= 2 ? std::optional(digits((hour + 11) % 12 + 1, count)) : std::nullopt;
      case 'm':
        return count <= 2 ? std::optional(digits(clock.minutes().count(), count)) : std::nullopt;
      case 's':
        return count <= 2 ? std::optional(digits(clock.seconds().count(), count)) : std::nullopt;
      case 'f':
      case 'F':
        return count <= 7 ? std::optional(fraction(ticks, count, c == 'F')) : std::nullopt;
      case 't':
        return count == 2 ? std::optional(std::string(hour < 12 ? "AM" : "PM")) : std::nullopt;
      default:
        return std::nullopt;
    }
  });
}

std::optional<std::string> format_timespan(std::int64_t ticks, std::string_view format) {
  const bool negative = ticks < 0;
  const auto length = negative ? 0 - static_cast<std::uint64_t>(ticks) : static_cast<std::uint64_t>(ticks);
  const auto part = [length](std::int64_t unit, std::int64_t modulo) {
    const auto value = static_cast<std::int64_t>(length / static_cast<std::uint64_t>(unit));
    return modulo == 0 ? value : value % modulo;
  };
  auto out = apply_format(format, " /-:,.[]_", [&](char c, int count) -> std::optional<std::string> {
    switch (c) {
      case 'd':
        return count <= 8 ? std::optional(digits(part(kTicksPerDay, 0), count)) : std::nullopt;
      case 'H':
      case 'h':
        return count <= 2 ? std::optional(digits(part(kTicksPerHour, 24), count)) : std::nullopt;
      case 'm':
        return count <= 2 ? std::optional(digits(part(kTicksPerMinute, 60), count)) : std::nullopt;
      case 's':
        return count <= 2 ? std::optional(digits(part(kTicksPerSecond, 60), count)) : std::nullopt;
      case 'f':
      case 'F':
        return count <= 7 ? std::optional(fraction(part(1, kTicksPerSecond), count, c == 'F')) : std::nullopt;
      default:
        return std::nullopt;
    }
  });
  if (out && negative) out->insert(0, "-");
  return out;
}

}  // namespace picket::kql
