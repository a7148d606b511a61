// Parts of times, UTC, without allocation.
#include <optional>

#include "base/core/time.h"
#include "sigma/rule.h"

namespace picket::sigma {
namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;

struct Date {
  std::int64_t year = 0;
  int month = 0;
  int day = 0;
};

/// Days since 1970-01-01 of a date, and back (proleptic Gregorian calendar; years begin in March).
constexpr std::int64_t days_of(Date date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t of_era = year - era * 400;
  const std::int64_t of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

constexpr Date date_of(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t of_era = days - era * 146'097;
  const std::int64_t year = (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
  const std::int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const std::int64_t month = (5 * of_year + 2) / 153;
  Date out;
  out.day = static_cast<int>(of_year - (153 * month + 2) / 5 + 1);
  out.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
  out.year = year + era * 400 + (out.month <= 2 ? 1 : 0);
  return out;
}

/// ISO 8601: the week of a day is that of its Thursday; week 1 has the year's first Thursday.
constexpr std::int64_t week_of(std::int64_t days) {
  const std::int64_t weekday = ((days + 3) % 7 + 7) % 7;  // Monday is 0
  const std::int64_t thursday = days - weekday + 3;
  return (thursday - days_of({date_of(thursday).year, 1, 1})) / 7 + 1;
}
static_assert(week_of(days_of({2024, 12, 30})) == 1 && week_of(days_of({2027, 1, 1})) == 53);

double part_of(TimePart part, std::int64_t us) {
  const std::int64_t days = us >= 0 ? us / kDayUs : -((-us + kDayUs - 1) / kDayUs);
  const std::int64_t minutes = (us - days * kDayUs) / 60'000'000;
  switch (part) {
    case TimePart::minute:
      return static_cast<double>(minutes % 60);
    case TimePart::hour:
      return static_cast<double>(minutes / 60);
    case TimePart::day:
      return date_of(days).day;
    case TimePart::week:
      return static_cast<double>(week_of(days));
    case TimePart::month:
      return date_of(days).month;
    case TimePart::year:
      return static_cast<double>(date_of(days).year);
  }
  return 0;
}

}  // namespace

std::optional<double> time_part_of_text(TimePart part, std::string_view text) {
  double number = 0;
  if (parse_number(text, number)) return time_part_of_number(part, number);
  const auto time = parse_rfc3339(text);
  if (!time) return std::nullopt;
  return part_of(part, time->us);
}

std::optional<double> time_part_of_number(TimePart part, double number) {
  constexpr double kSecondsMax = 1e11;
  constexpr double kMillisecondsMax = 1e14;
  constexpr double kMicrosecondsMax = 2.5e17;
  if (!(number >= 0 && number <= kMicrosecondsMax)) return std::nullopt;
  const double us = number < kSecondsMax ? number * 1e6 : number < kMillisecondsMax ? number * 1e3 : number;
  return part_of(part, static_cast<std::int64_t>(us));
}

}  // namespace picket::sigma
