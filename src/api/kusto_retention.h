// Kusto's commands that set how long a table is kept; all others that write are refused (kusto_commands.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kusto_commands.h"

namespace picket::api {

/// `.alter table T policy retention '{"SoftDeletePeriod":"30.00:00:00"}'`, the same with `.alter-merge` and
/// `softdelete = 30d`, and `.delete table T policy retention`, for an Admin. The period is the whole time, in days: a
/// table with an archive keeps its days in segments, and the archive takes the rest. nullopt: another command; else the
/// policy as it is then. Errors: denied, query_syntax, query_unsupported (recoverability), and as set_table_retention.
std::optional<std::expected<CommandTable, ApiError>> run_retention_command(const Call& call,
                                                                           const std::vector<std::string>& words,
                                                                           std::string_view text);

}  // namespace picket::api
