// A row of the table `alert`, read the same way wherever it is asked for. Private to this module.
#pragma once

#include <string_view>

#include "state/alerts.h"
#include "statement.h"

namespace picket::state {

/// What alert_of() reads, from column 0 on.
inline constexpr std::string_view kAlertColumns =
    "alert_id, alert_type, display_name, severity, status, hub, device_id, module_id, start, end, updated, "
    "change, json, owner, classification, classification_reason, count, suppressed_by, closed";
inline constexpr int kAlertColumnCount = 19;

Alert alert_of(const Statement& row);

/// Errors: not_found "alert".
Result<Alert> find_alert(sqlite3* db, std::string_view alert_id);

}  // namespace picket::state
