// How long a stored table is kept, as an Admin decides: through REST and through Kusto's policy commands.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "router.h"

namespace picket::api {

inline constexpr std::int64_t kRetentionDaysMax = 36'500;

/// Errors: not_found "table": there is none, or it is a view.
std::expected<workspace::TableStats, ApiError> find_stored_table(const Call& call, std::string_view name);

/// `days` in segments (0: for ever), then `archive_days` in the archive. Durable with its audit record before it is in
/// force: what holds is never more than what a restart would bring back. The caller has checked the role. Errors:
/// not_found "table", invalid_value "archiveDays", not_implemented, those of state and workspace.
std::expected<void, ApiError> set_table_retention(const Call& call, std::string_view table, std::int64_t days,
                                                  std::int64_t archive_days);

/// The server's settings hold again. Errors: as above.
std::expected<void, ApiError> reset_table_retention(const Call& call, std::string_view table);

}  // namespace picket::api
