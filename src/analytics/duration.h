// Durations of rule files: "5m", "1h", "14d", "PT5M", "P1DT2H".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/core/time.h"

namespace picket::analytics {

/// nullopt: neither form, or more than a year.
std::optional<Duration> parse_duration(std::string_view text);
/// "PT90S"
std::string duration_text(Duration duration);

}  // namespace picket::analytics
