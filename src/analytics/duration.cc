#include "duration.h"

#include <charconv>

namespace picket::analytics {
namespace {

constexpr std::int64_t kYearSeconds = 366LL * 86'400;

/// Seconds of a unit; 0: no unit. In ISO form M is a month before T, which rules do not use.
std::int64_t seconds_of(char unit, bool time) {
  switch (unit) {
    case 'w':
    case 'W':
      return 7 * 86'400;
    case 'd':
    case 'D':
      return 86'400;
    case 'h':
    case 'H':
      return 3'600;
    case 'm':
      return 60;
    case 'M':
      return time ? 60 : 0;
    case 's':
    case 'S':
      return 1;
    default:
      return 0;
  }
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  const bool iso = text.starts_with('P');
  if (iso) text.remove_prefix(1);
  bool time = !iso;
  std::int64_t seconds = 0;
  bool any = false;
  while (!text.empty()) {
    if (iso && !time && text.front() == 'T') {
      time = true;
      text.remove_prefix(1);
      continue;
    }
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto used = static_cast<std::size_t>(end - text.data());
    if (error != std::errc{} || number < 0 || number > kYearSeconds || used >= text.size()) return std::nullopt;
    const std::int64_t unit = seconds_of(text[used], time);
    if (unit == 0 || number > kYearSeconds / unit) return std::nullopt;
    seconds += number * unit;
    if (seconds > kYearSeconds) return std::nullopt;
    text.remove_prefix(used + 1);
    any = true;
  }
  if (!any) return std::nullopt;
  return Duration::seconds(seconds);
}

std::string duration_text(Duration duration) { return "PT" + std::to_string(duration.whole_seconds()) + "S"; }

}  // namespace picket::analytics
