// Values from and to text.
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/core/encoding.h"
#include "base/core/time.h"
#include "kql/native_functions.h"
#include "kql/value.h"

namespace picket::kql {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool equals_folded(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

/// Reads 1..max digits off the front; nullopt: none.
std::optional<std::int64_t> take_digits(std::string_view& text, std::size_t max) {
  std::size_t n = 0;
  std::int64_t value = 0;
  while (n < text.size() && n < max && is_digit(text[n])) value = value * 10 + (text[n++] - '0');
  if (n == 0) return std::nullopt;
  text.remove_prefix(n);
  return value;
}

bool take_char(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

/// Up to seven digits of a fraction as ticks; more digits are cut.
std::optional<std::int64_t> take_fraction_ticks(std::string_view& text) {
  std::int64_t ticks = 0;
  std::size_t n = 0;
  for (; n < text.size() && is_digit(text[n]); ++n) {
    if (n < 7) ticks = ticks * 10 + (text[n] - '0');
  }
  if (n == 0) return std::nullopt;
  for (std::size_t i = n; i < 7; ++i) ticks *= 10;
  text.remove_prefix(n);
  return ticks;
}

std::optional<std::int64_t> to_ticks(__int128 ticks) {
  if (ticks < std::numeric_limits<std::int64_t>::min() || ticks > std::numeric_limits<std::int64_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::int64_t>(ticks);
}

/// hh:mm[:ss[.fffffff]] as ticks. Hours below 24, the rest below 60.
std::optional<std::int64_t> parse_clock(std::string_view text) {
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take_char(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  std::int64_t ticks = *hours * kTicksPerHour + *minutes * kTicksPerMinute;
  if (take_char(text, ':')) {
    const auto seconds = take_digits(text, 2);
    if (!seconds || *seconds > 59) return std::nullopt;
    ticks += *seconds * kTicksPerSecond;
    if (take_char(text, '.')) {
      const auto fraction = take_fraction_ticks(text);
      if (!fraction) return std::nullopt;
      ticks += *fraction;
    }
  }
  if (!text.empty()) return std::nullopt;
  return ticks;
}

/// Digits with at most one point, at least one digit.
bool is_plain_number(std::string_view text) {
  bool digit = false;
  bool point = false;
  for (const char c : text) {
    if (c == '.' && !point) {
      point = true;
    } else if (is_digit(c)) {
      digit = true;
    } else {
      return false;
    }
  }
  return digit;
}

std::optional<std::int64_t> parse_unsigned_timespan(std::string_view text) {
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    const auto point = text.find('.');
    if (point == std::string_view::npos || point > colon) return parse_clock(text);
    auto head = text.substr(0, point);
    const auto days = take_digits(head, 8);
    const auto clock = parse_clock(text.substr(point + 1));
    if (!days || !head.empty() || !clock) return std::nullopt;
    return to_ticks(static_cast<__int128>(*days) * kTicksPerDay + *clock);
  }
  std::size_t digits = 0;
  while (digits < text.size() && (is_digit(text[digits]) || text[digits] == '.')) ++digits;
  const auto number = text.substr(0, digits);
  const auto unit = trim(text.substr(digits));
  if (unit.empty()) return scale_timespan(number, kTicksPerDay);
  const auto ticks = timespan_unit(unit);
  return ticks ? scale_timespan(number, *ticks) : std::nullopt;
}

}  // namespace

std::optional<std::int64_t> timespan_unit(std::string_view unit) {
  struct Unit {
    std::string_view name;
    std::int64_t ticks;
  };
  static constexpr Unit kUnits[] = {
      {"d", kTicksPerDay},
      {"day", kTicksPerDay},
      {"days", kTicksPerDay},
      {"h", kTicksPerHour},
      {"hr", kTicksPerHour},
      {"hrs", kTicksPerHour},
      {"hour", kTicksPerHour},
      {"hours", kTicksPerHour},
      {"m", kTicksPerMinute},
      {"min", kTicksPerMinute},
      {"minute", kTicksPerMinute},
      {"minutes", kTicksPerMinute},
      {"s", kTicksPerSecond},
      {"sec", kTicksPerSecond},
      {"second", kTicksPerSecond},
      {"seconds", kTicksPerSecond},
      {"ms", kTicksPerMillisecond},
      {"milli", kTicksPerMillisecond},
      {"millis", kTicksPerMillisecond},
      {"millisecond", kTicksPerMillisecond},
      {"milliseconds", kTicksPerMillisecond},
      {"micro", kTicksPerMicrosecond},
      {"micros", kTicksPerMicrosecond},
      {"microsecond", kTicksPerMicrosecond},
      {"microseconds", kTicksPerMicrosecond},
      {"tick", 1},
      {"ticks", 1},
  };
  for (const auto& known : kUnits) {
    if (known.name == unit) return known.ticks;
  }
  return std::nullopt;
}

std::optional<std::int64_t> scale_timespan(std::string_view number, std::int64_t unit_ticks) {
  if (!is_plain_number(number)) return std::nullopt;
  const auto point = number.find('.');
  __int128 ticks = 0;
  for (const char c : number.substr(0, point)) {
    ticks = ticks * 10 + (c - '0');
    if (ticks > std::numeric_limits<std::int64_t>::max()) return std::nullopt;
  }
  ticks *= unit_ticks;
  if (point != std::string_view::npos) {
    // Digits beyond the eighteenth cannot make a tick: the largest unit has twelve.
    __int128 fraction = 0;
    __int128 scale = 1;
    for (const char c : number.substr(point + 1, 18)) {
      fraction = fraction * 10 + (c - '0');
      scale *= 10;
    }
    ticks += fraction * unit_ticks / scale;
  }
  return to_ticks(ticks);
}

std::optional<std::int64_t> parse_long(std::string_view text) {
  text = trim(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (hex && !negative) return static_cast<std::int64_t>(value);  // 0xFFFFFFFFFFFFFFFF is -1
  const auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) + (negative ? 1 : 0);
  if (value > limit) return std::nullopt;
  return static_cast<std::int64_t>(negative ? 0 - value : value);
}

std::optional<double> parse_real(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto unsigned_text = text.starts_with('-') ? text.substr(1) : text;
  if (equals_folded(unsigned_text, "inf") || equals_folded(unsigned_text, "infinity")) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    return text.starts_with('-') ? -kInfinity : kInfinity;
  }
  if (equals_folded(text, "nan")) return std::numeric_limits<double>::quiet_NaN();
  if (unsigned_text.empty() || !(is_digit(unsigned_text.front()) || unsigned_text.front() == '.')) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> parse_bool(std::string_view text) {
  text = trim(text);
  if (equals_folded(text, "true")) return true;
  if (equals_folded(text, "false")) return false;
  if (const auto number = parse_long(text)) return *number != 0;
  return std::nullopt;
}

std::optional<std::int64_t> parse_datetime(std::string_view text) {
  text = trim(text);
  // A bare year or a year and month: RFC 3339 wants the whole date.
  const std::size_t digits = text.find_first_not_of("0123456789");
  std::string whole(text);
  if (text.size() == 4 && digits == std::string_view::npos) whole += "-01-01T00:00:00Z";
  if (text.size() == 7 && digits == 4 && text[4] == '-') whole += "-01T00:00:00Z";
  if (text.size() == 10) whole += "T00:00:00Z";
  if (text.size() >= 16 && text[13] == ':' && (text.size() == 16 || text[16] != ':')) whole.insert(16, ":00");
  const auto time = parse_rfc3339(whole);
  if (!time || *time < kTimestampMin || *time > kTimestampMax) return std::nullopt;
  return time->us;
}

std::optional<std::int64_t> parse_timespan(std::string_view text) {
  text = trim(text);
  const bool negative = take_char(text, '-');
  const auto ticks = parse_unsigned_timespan(text);
  if (!ticks) return std::nullopt;
  return negative ? -*ticks : *ticks;
}

std::optional<std::string> parse_guid(std::string_view text) {
  text = trim(text);
  if (text.size() == 38 && text.front() == '{' && text.back() == '}') text = text.substr(1, 36);
  const bool hyphens = text.size() == 36;
  if (!hyphens && text.size() != 32) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (hyphens && (i == 8 || i == 13 || i == 18 || i == 23)) {
      if (c != '-') return std::nullopt;
      continue;
    }
    const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
    if (!is_digit(lower) && !(lower >= 'a' && lower <= 'f')) return std::nullopt;
    if (out.size() == 8 || out.size() == 13 || out.size() == 18 || out.size() == 23) out += '-';
    out += lower;
  }
  return out;
}

std::string real_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::array<char, 32> buffer{};
  const double magnitude = std::fabs(value);
  const bool plain = magnitude == 0 || (magnitude >= 1e-5 && magnitude < 1e15);
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                          plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string out(buffer.data(), error == std::errc{} ? end : buffer.data());
  if (plain) return out.contains('.') ? out : out + ".0";
  if (const auto e = out.find('e'); e != std::string::npos) out[e] = 'E';
  return out;
}

std::string datetime_text(std::int64_t microseconds) {
  auto out = format_rfc3339(Timestamp{microseconds});
  if (out.ends_with('Z')) out.back() = '0';
  return out + 'Z';
}

std::string timespan_text(std::int64_t ticks) {
  const bool negative = ticks < 0;
  auto rest = negative ? 0 - static_cast<std::uint64_t>(ticks) : static_cast<std::uint64_t>(ticks);
  const auto days = rest / static_cast<std::uint64_t>(kTicksPerDay);
  rest %= static_cast<std::uint64_t>(kTicksPerDay);
  const auto seconds = static_cast<unsigned>(rest / static_cast<std::uint64_t>(kTicksPerSecond));
  const auto fraction = static_cast<unsigned>(rest % static_cast<std::uint64_t>(kTicksPerSecond));
  std::array<char, 48> buffer{};
  int n =
      std::snprintf(buffer.data(), buffer.size(), "%02u:%02u:%02u", seconds / 3600, seconds / 60 % 60, seconds % 60);
  std::string out = (negative ? "-" : "") + (days > 0 ? std::to_string(days) + "." : std::string()) +
                    std::string(buffer.data(), static_cast<std::size_t>(n));
  if (fraction > 0) {
    n = std::snprintf(buffer.data(), buffer.size(), ".%07u", fraction);
    out.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return out;
}

std::string substring(std::string_view text, std::int64_t start, std::int64_t length) {
  const auto is_start = [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; };
  if (start < 0) {
    std::int64_t characters = 0;
    for (const char c : text) characters += is_start(c) ? 1 : 0;
    start = start < -characters ? 0 : characters + start;
  }
  if (length <= 0) return {};
  std::string out;
  std::int64_t index = -1;
  for (const char c : text) {
    if (is_start(c) || index < 0) ++index;
    if (index < start) continue;
    if (index - start >= length) break;
    out += c;
  }
  return out;
}

std::optional<bool> ipv4_is_private(std::string_view text) {
  text = trim(text);
  std::array<std::int64_t, 4> part{};
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (i > 0 && !take_char(text, '.')) return std::nullopt;
    const auto number = take_digits(text, 3);
    if (!number || *number > 255) return std::nullopt;
    part[i] = *number;
  }
  if (take_char(text, '/')) {
    const auto bits = take_digits(text, 2);
    if (!bits || *bits > 32) return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  return part[0] == 10 || (part[0] == 172 && part[1] >= 16 && part[1] <= 31) || (part[0] == 192 && part[1] == 168);
}

std::optional<std::string> base64_text(std::string_view text) {
  const auto bytes = from_base64(text);
  if (!bytes) return std::nullopt;
  std::string out;
  for (const auto byte : *bytes) out += static_cast<char>(byte);
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

}  // namespace picket::kql
