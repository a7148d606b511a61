#include "table_retention.h"

#include <charconv>
#include <optional>
#include <string_view>

namespace picket::cli {
namespace {

constexpr std::int64_t kDaysMax = 36'500;

std::optional<Duration> days(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0 || value > kDaysMax) return std::nullopt;
  return Duration::days(value);
}

}  // namespace

std::expected<std::map<std::string, server::TableRetention>, std::string> parse_table_retention(
    const std::vector<std::string>& entries) {
  std::map<std::string, server::TableRetention> out;
  for (const std::string& entry : entries) {
    const std::string_view text = entry;
    const auto equals = text.find('=');
    const auto plus = text.find('+');
    const bool archived = plus != std::string_view::npos;
    std::optional<Duration> keep;
    std::optional<Duration> archive = Duration{};
    if (equals != std::string_view::npos && equals > 0) {
      keep = days(text.substr(equals + 1, archived ? plus - equals - 1 : std::string_view::npos));
      if (archived) archive = days(text.substr(plus + 1));
    }
    if (!keep || !archive || (archived && *keep == Duration{})) {
      return std::unexpected("'" + entry + "' is not TABLE=DAYS or TABLE=DAYS+ARCHIVE, with days of 0 to 36500");
    }
    if (!out.emplace(text.substr(0, equals), server::TableRetention{*keep, *archive}).second) {
      return std::unexpected("'" + entry + "' names a table for the second time");
    }
  }
  return out;
}

}  // namespace picket::cli
