// The stored tables: what they hold, how long they are kept.
#include <map>

#include "../json_body.h"
#include "../table_retention.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "state/table_retention.h"

namespace picket::api {
namespace {

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

Answer one_table(Call& call) {
  API_TRY(const auto table, find_stored_table(call, call.path_values[0]));
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

Answer put_table_retention(Call& call) {
  API_TRY(const auto table, find_stored_table(call, call.path_values[0]));
  API_TRY(const auto body, JsonBody::parse(call.request, {"days", "archiveDays"}));
  API_TRY(const auto days, body.number("days", 0, kRetentionDaysMax));
  API_TRY(const auto archive, body.number("archiveDays", 0, kRetentionDaysMax));
  if (!days) return std::unexpected(invalid("days", "Say how many days rows stay; 0 keeps them for ever."));
  if (const auto done = set_table_retention(call, table.table, *days, archive.value_or(0)); !done)
    return std::unexpected(done.error());
  return one_table(call);
}

Answer delete_table_retention(Call& call) {
  if (const auto done = reset_table_retention(call, call.path_values[0]); !done) return std::unexpected(done.error());
  return one_table(call);
}

}  // namespace picket::api
