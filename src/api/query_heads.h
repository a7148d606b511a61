// The query APIs of other products, so that their clients work unmodified: Kusto (v1 and v2) and Log Analytics. They
// stand beside /api/v1, speak their own dialect of JSON and of errors, and run queries under the same guards.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "router.h"

namespace picket::api {

/// Answers /v1/… and /v2/…; nullopt: another path. Any worker.
std::optional<Response> answer_query_head(const Parts& parts, const Request& request);

/// Whether `name` means this installation's one workspace or database: its id, the hub's name, or "picket".
bool is_our_workspace(const Services& services, std::string_view name);

// routes/log_analytics.cc
/// POST and GET /v1/workspaces/{id}/query; POST /v1/$batch; GET /v1/workspaces/{id}/metadata.
Response log_analytics_query(Call& call, std::string_view workspace);
Response log_analytics_batch(Call& call);
Response log_analytics_metadata(Call& call, std::string_view workspace);
Response log_analytics_error(const ApiError& error);

// routes/kusto.cc
/// POST /v1/rest/query, /v2/rest/query, /v1/rest/mgmt.
enum class KustoCall { query_v1, query_v2, management };
Response kusto(Call& call, KustoCall kind);
Response kusto_error(const Call& call, const ApiError& error);

}  // namespace picket::api
