#include "request_limits.h"

#include <algorithm>

#include "kql/native_functions.h"

namespace picket::api {
namespace {

/// 1h, 00:04:00, time(1h), timespan(1h)
std::optional<Duration> duration_of(std::string_view text) {
  const std::size_t open = text.find('(');
  if (open != std::string_view::npos && text.ends_with(')')) text = text.substr(open + 1, text.size() - open - 2);
  const auto ticks = kql::parse_timespan(text);
  if (!ticks || *ticks <= 0) return std::nullopt;
  return Duration::microseconds(*ticks / kql::kTicksPerMicrosecond);
}

void lower(std::size_t& limit, std::string_view text) {
  if (const auto wanted = kql::parse_long(text); wanted && *wanted > 0)
    limit = std::min(limit, static_cast<std::size_t>(*wanted));
}

}  // namespace

RunLimits with_properties(RunLimits limits, std::span<const kql::RequestProperty> properties) {
  for (const auto& [name, value] : properties) {
    if (name == "servertimeout") {
      if (const auto wanted = duration_of(value)) limits.timeout = std::min(*wanted, kTimeoutMax);
    } else if (name == "norequesttimeout") {
      if (value.empty() || kql::parse_bool(value) == true) limits.timeout = kTimeoutMax;
    } else if (name == "truncationmaxrecords") {
      lower(limits.rows_max, value);
    } else if (name == "truncationmaxsize") {
      lower(limits.bytes_max, value);
    }
  }
  return limits;
}

}  // namespace picket::api
