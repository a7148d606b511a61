// The stored tables: what they hold, how long they are kept.
#include <algorithm>
#include <map>

#include "../json_body.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "state/table_retention.h"

namespace picket::api {
namespace {

constexpr std::int64_t kDaysMax = 36'500;

using Overrides = std::map<std::string, state::TableRetentionRow, std::less<>>;

std::expected<Overrides, ApiError> overrides_of(const Call& call) {
  Overrides out;
  const auto* store = call.parts.services.table_retentions;
  if (store == nullptr) return out;
  auto rows = store->list();
  if (!rows) return api_error(rows.error(), "retention");
  for (state::TableRetentionRow& row : *rows) {
    std::string table = row.table;
    out.emplace(std::move(table), std::move(row));
  }
  return out;
}

std::int64_t days_of(Duration duration) { return duration.us / Duration::days(1).us; }

void write_table(JsonWriter& out, const workspace::TableStats& table, const Overrides& overrides) {
  out.begin_object().key("name").value(table.table).key("stream").value(table.stream);
  out.key("rows").value(table.rows + table.archived_rows + table.hot_rows).key("hotRows").value(table.hot_rows);
  out.key("archivedRows").value(table.archived_rows).key("bytes").value(table.bytes + table.archived_bytes);
  out.key("archivedBytes").value(table.archived_bytes);
  if (table.oldest) out.key("oldest").value(*table.oldest);
  if (table.newest) out.key("newest").value(*table.newest);
  const auto set = overrides.find(table.table);
  out.key("retention").begin_object().key("days").value(days_of(table.retention.keep));
  out.key("archiveDays").value(days_of(table.retention.archive)).key("fromSettings").value(set == overrides.end());
  if (set != overrides.end()) {
    out.key("changedBy").value(set->second.changed_by).key("changed").value(set->second.changed);
  }
  out.end_object().end_object();
}

void write_damage(JsonWriter& out, const workspace::DamagedFile& file) {
  out.begin_object().key("file").value(file.file).key("problem").value(file.problem);
  out.key("first").value(file.first).key("last").value(file.last).key("tables").begin_array();
  for (const workspace::DamagedRows& rows : file.tables) {
    out.begin_object().key("table").value(rows.table).key("rows").value(rows.rows);
    if (rows.time_min <= rows.time_max) out.key("from").value(rows.time_min).key("to").value(rows.time_max);
    out.end_object();
  }
  out.end_array().key("text").value(workspace::sentence(file)).end_object();
}

std::expected<workspace::TableStats, ApiError> find_table(const Call& call) {
  const auto tables = call.parts.services.workspace.tables();
  const auto found = std::ranges::find(tables, call.path_values[0], &workspace::TableStats::table);
  if (found != tables.end()) return *found;
  return std::unexpected(
      ApiError{.code = "not_found",
               .message = "There is no stored table of that name; views have the retention of their tables.",
               .target = "table"});
}

Answer one_table(Call& call) {
  API_TRY(const auto table, find_table(call));
  API_TRY(const Overrides overrides, overrides_of(call));
  JsonWriter out;
  write_table(out, table, overrides);
  return Response::json(out.take());
}

}  // namespace

Answer list_workspace_tables(Call& call) {
  API_TRY(const Overrides overrides, overrides_of(call));
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const auto& table : call.parts.services.workspace.tables()) write_table(out, table, overrides);
  out.end_array().key("damaged").begin_array();
  for (const auto& file : call.parts.services.workspace.damaged()) write_damage(out, file);
  return Response::json(out.end_array().end_object().take());
}

// Durable first: what is in force is never more than what a restart would bring back.
Answer put_table_retention(Call& call) {
  auto* store = call.parts.services.table_retentions;
  if (store == nullptr) return std::unexpected(ApiError{.code = "not_implemented"});
  API_TRY(const auto table, find_table(call));
  API_TRY(const auto body, JsonBody::parse(call.request, {"days", "archiveDays"}));
  API_TRY(const auto days, body.number("days", 0, kDaysMax));
  API_TRY(const auto archive, body.number("archiveDays", 0, kDaysMax));
  if (!days) return std::unexpected(invalid("days", "Say how many days rows stay; 0 keeps them for ever."));
  if (*days == 0 && archive.value_or(0) != 0)
    return std::unexpected(invalid("archiveDays", "Rows that stay for ever never reach the archive."));
  const state::TableRetentionRow row{.table = table.table, .days = *days, .archive_days = archive.value_or(0)};
  if (const auto done = store->put(row, call.actor(), call.now()); !done) return api_error(done.error(), "retention");
  const workspace::TableRetention retention{Duration::days(row.days), Duration::days(row.archive_days)};
  if (const auto done = call.parts.services.workspace.set_retention(row.table, retention); !done)
    return api_error(done.error(), "retention");
  return one_table(call);
}

Answer delete_table_retention(Call& call) {
  auto* store = call.parts.services.table_retentions;
  if (store == nullptr) return std::unexpected(ApiError{.code = "not_implemented"});
  API_TRY(const auto table, find_table(call));
  if (const auto done = store->remove(table.table, call.actor(), call.now()); !done)
    return api_error(done.error(), "retention");
  if (const auto done = call.parts.services.workspace.set_retention(table.table, std::nullopt); !done)
    return api_error(done.error(), "retention");
  return one_table(call);
}

}  // namespace picket::api
