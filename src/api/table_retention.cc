#include "table_retention.h"

#include <algorithm>

#include "json_body.h"
#include "state/table_retention.h"

namespace picket::api {

std::expected<workspace::TableStats, ApiError> find_stored_table(const Call& call, std::string_view name) {
  const auto tables = call.parts.services.workspace.tables();
  const auto found = std::ranges::find(tables, name, &workspace::TableStats::table);
  if (found != tables.end()) return *found;
  return std::unexpected(
      ApiError{.code = "not_found",
               .message = "There is no stored table of that name; views have the retention of their tables.",
               .target = "table"});
}

std::expected<void, ApiError> set_table_retention(const Call& call, std::string_view table, std::int64_t days,
                                                  std::int64_t archive_days) {
  auto* store = call.parts.services.table_retentions;
  if (store == nullptr) return std::unexpected(ApiError{.code = "not_implemented"});
  API_TRY(const auto stored, find_stored_table(call, table));
  if (days == 0 && archive_days != 0)
    return std::unexpected(invalid("archiveDays", "Rows that stay for ever never reach the archive."));
  const state::TableRetentionRow row{.table = stored.table, .days = days, .archive_days = archive_days};
  if (const auto done = store->put(row, call.actor(), call.now()); !done) return api_error(done.error(), "retention");
  const workspace::TableRetention retention{Duration::days(days), Duration::days(archive_days)};
  if (const auto done = call.parts.services.workspace.set_retention(row.table, retention); !done)
    return api_error(done.error(), "retention");
  return {};
}

std::expected<void, ApiError> reset_table_retention(const Call& call, std::string_view table) {
  auto* store = call.parts.services.table_retentions;
  if (store == nullptr) return std::unexpected(ApiError{.code = "not_implemented"});
  API_TRY(const auto stored, find_stored_table(call, table));
  if (const auto done = store->remove(stored.table, call.actor(), call.now()); !done)
    return api_error(done.error(), "retention");
  if (const auto done = call.parts.services.workspace.set_retention(stored.table, std::nullopt); !done)
    return api_error(done.error(), "retention");
  return {};
}

}  // namespace picket::api
