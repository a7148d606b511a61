// Documents about the whole fleet: overview and live statistics.
#pragma once

#include <string>

#include "base/core/json_writer.h"
#include "router.h"

namespace picket::api {

Result<std::string> overview_json(const Parts& parts);
/// LiveStats, every few seconds while somebody listens.
Result<std::string> live_stats_json(const Parts& parts);
std::string status_json(const Parts& parts);
/// The same counters in Prometheus' text format 0.0.4.
std::string metrics_text(const Parts& parts);
/// Members of AlertSummary, without the braces.
void write_alert_summary(JsonWriter& out, const state::Alert& alert);

}  // namespace picket::api
