#include "base/core/time.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include <time.h>

namespace picket {
namespace {

// Days since 1970-01-01 of a proleptic Gregorian date, and back (Howard Hinnant's public algorithm descriptions).
constexpr std::int64_t days_from_civil(std::int64_t y, int m, int d) {
  y -= m <= 2;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t yoe = y - era * 400;
  const std::int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  const std::int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146'097 + doe - 719'468;
}

struct Civil {
  std::int64_t year;
  int month;
  int day;
};

constexpr Civil civil_from_days(std::int64_t z) {
  z += 719'468;
  const std::int64_t era = (z >= 0 ? z : z - 146'096) / 146'097;
  const std::int64_t doe = z - era * 146'097;
  const std::int64_t yoe = (doe - doe / 1'460 + doe / 36'524 - doe / 146'096) / 365;
  const std::int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const std::int64_t mp = (5 * doy + 2) / 153;
  const int day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
  const int month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  return {yoe + era * 400 + (month <= 2), month, day};
}

constexpr std::int64_t kUsPerDay = 86'400'000'000;

// Reads a run of exactly `digits` decimal digits.
bool read_number(std::string_view& text, std::size_t digits, int& out) {
  if (text.size() < digits) return false;
  out = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return true;
}

bool read_char(std::string_view& text, std::string_view one_of) {
  if (text.empty() || !one_of.contains(text.front())) return false;
  text.remove_prefix(1);
  return true;
}

std::int64_t read_fraction_us(std::string_view& text) {
  std::int64_t us = 0;
  std::int64_t unit = 100'000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    us += (text.front() - '0') * unit;
    unit /= 10;
    text.remove_prefix(1);
  }
  return us;
}

constexpr int days_in_month(int year, int month) {
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month - 1)];
}

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return {read(CLOCK_REALTIME)}; }
  [[nodiscard]] Duration monotonic() const override { return {read(CLOCK_BOOTTIME)}; }

 private:
  static std::int64_t read(clockid_t id) {
    timespec ts{};
    clock_gettime(id, &ts);
    return static_cast<std::int64_t>(ts.tv_sec) * 1'000'000 + ts.tv_nsec / 1'000;
  }
};

}  // namespace

std::string format_rfc3339(Timestamp time) {
  time = std::clamp(time, kTimestampMin, kTimestampMax);
  std::int64_t days = time.us / kUsPerDay;
  std::int64_t rest = time.us % kUsPerDay;
  if (rest < 0) {
    rest += kUsPerDay;
    --days;
  }
  const Civil date = civil_from_days(days);
  std::array<char, 40> text{};
  const int length = std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
                                   static_cast<int>(date.year), date.month, date.day,
                                   static_cast<int>(rest / 3'600'000'000), static_cast<int>(rest / 60'000'000 % 60),
                                   static_cast<int>(rest / 1'000'000 % 60), static_cast<int>(rest % 1'000'000));
  return {text.data(), static_cast<std::size_t>(length)};
}

Result<Timestamp> parse_rfc3339(std::string_view text) {
  constexpr std::string_view kWhere = "time.rfc3339";
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!read_number(text, 4, year) || !read_char(text, "-") || !read_number(text, 2, month) || !read_char(text, "-") ||
      !read_number(text, 2, day) || !read_char(text, "Tt ") || !read_number(text, 2, hour) || !read_char(text, ":") ||
      !read_number(text, 2, minute) || !read_char(text, ":") || !read_number(text, 2, second)) {
    return fail(Errc::malformed, kWhere);
  }
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59 ||
      second > 60) {
    return fail(Errc::malformed, kWhere);
  }
  std::int64_t fraction_us = 0;
  if (read_char(text, ".")) {
    if (text.empty() || text.front() < '0' || text.front() > '9') return fail(Errc::malformed, kWhere);
    fraction_us = read_fraction_us(text);
  }
  std::int64_t offset_minutes = 0;
  if (!text.empty() && !read_char(text, "Zz")) {
    const int sign = text.front() == '-' ? -1 : 1;
    int offset_hour = 0, offset_minute = 0;
    if (!read_char(text, "+-") || !read_number(text, 2, offset_hour) || !read_char(text, ":") ||
        !read_number(text, 2, offset_minute) || offset_hour > 23 || offset_minute > 59) {
      return fail(Errc::malformed, kWhere);
    }
    offset_minutes = sign * (offset_hour * 60 + offset_minute);
  }
  if (!text.empty()) return fail(Errc::malformed, kWhere);
  const std::int64_t seconds = days_from_civil(year, month, day) * 86'400 + hour * 3'600 + minute * 60 + second;
  const Timestamp out{(seconds - offset_minutes * 60) * 1'000'000 + fraction_us};
  if (out < kTimestampMin || out > kTimestampMax) return fail(Errc::malformed, kWhere);
  return out;
}

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace picket
