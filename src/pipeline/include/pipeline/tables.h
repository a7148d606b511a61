// The workspace's tables as the pipeline fills them: families from schema/events.yaml, alerts, dead letters.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/alert.h"
#include "pipeline/incident.h"
#include "workspace/rows.h"
#include "workspace/schema.h"

namespace picket::pipeline {

/// Hidden last column of each event family, int64: bit n says that promoted column n (message::TableInfo::columns) is
/// null although the details have such a key. Null in rows that are older than the column.
inline constexpr std::string_view kInexactColumn = "_inexact";

/// Tables and views of one server: what the workspace is opened with.
workspace::Schema make_workspace_schema();

/// Appends the cells of one SecurityAlert row (spec tables-and-portal, section 1.3). Texts that the change does not
/// hold itself are put into `texts`; both must outlive the cells.
/// `status`: New, Active, Resolved, Dismissed. `decided`: when people decided about it, which makes a row of its own.
void security_alert_cells(const AlertChange& change, std::string_view installation_id, std::deque<std::string>& texts,
                          std::vector<workspace::Cell>& cells, std::string_view status = "New",
                          std::optional<Timestamp> decided = std::nullopt);
/// The same for a row of SecurityIncident.
void security_incident_cells(const IncidentRow& row, std::string_view installation_id, std::deque<std::string>& texts,
                             std::vector<workspace::Cell>& cells);

}  // namespace picket::pipeline
