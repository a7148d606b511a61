// Commands about tables: their statistics, policies and schemas as text; and what there is none of.
#include <algorithm>
#include <array>

#include "kql_run.h"
#include "kusto_command_parts.h"

namespace picket::api {
namespace {

using Columns = std::vector<std::pair<std::string, Type>>;

constexpr std::string_view kNull = "null";

std::string retention_policy(const workspace::TableStats& table) {
  JsonWriter out;
  const std::int64_t days = (table.retention.keep + table.retention.archive).us / Duration::days(1).us;
  if (table.retention.keep.us == 0) return "null";  // for ever
  out.begin_object().key("SoftDeletePeriod").value(std::to_string(days) + ".00:00:00");
  return out.key("Recoverability").value("Disabled").end_object().take();
}

std::optional<workspace::TableStats> stats_of(const std::vector<workspace::TableStats>& all, std::string_view name) {
  const auto found = std::ranges::find(all, name, &workspace::TableStats::table);
  return found == all.end() ? std::nullopt : std::optional(*found);
}

std::string time_cell(const std::optional<Timestamp>& time) {
  return time ? text(format_rfc3339(*time)) : std::string(kNull);
}

/// "Name, At:datetime" as columns; a text where no type is said.
Columns columns_of(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, Type>, 5> kTypes{{{"datetime", Type::datetime},
                                                                            {"timespan", Type::timespan},
                                                                            {"bool", Type::boolean},
                                                                            {"long", Type::int64},
                                                                            {"guid", Type::guid}}};
  Columns out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    const std::size_t colon = std::min(one.find(':'), one.size());
    const std::string_view type = one.substr(std::min(colon + 1, one.size()));
    const auto found = std::ranges::find(kTypes, type, &std::pair<std::string_view, Type>::first);
    out.emplace_back(one.substr(0, colon), found == kTypes.end() ? Type::string : found->second);
  }
  return out;
}

struct Nothing {
  std::vector<std::string_view> words;  ///< How such commands begin.
  std::string_view columns;
};

const std::vector<Nothing>& nothings() {
  static const std::vector<Nothing> all{
      {{".show", "external", "tables"}, "TableName, TableType, Folder, DocString, Properties, ConnectionStrings"},
      {{".show", "materialized-views"},
       "Name, SourceTable, Query, MaterializedTo:datetime, LastRun:datetime, LastRunResult, IsHealthy:bool, "
       "IsEnabled:bool, Folder, DocString"},
      {{".show", "entity_groups"}, "Name, Entities"},
      {{".show", "graph_models"}, "Name, DatabaseName, Folder, DocString"},
      {{".show", "continuous-exports"},
       "Name, ExternalTableName, Query, ForcedLatency:timespan, IntervalBetweenRuns:timespan, LastRunTime:datetime, "
       "IsDisabled:bool, LastRunResult, IsRunning:bool"},
      {{".show", "stored_query_results"},
       "StoredQueryResultId:guid, Name, DatabaseName, PrincipalIdentity, SizeInBytes:long, RowCount:long, "
       "CreatedOn:datetime, ExpiresOn:datetime"},
      {{".show", "ingestion", "failures"},
       "OperationId:guid, Database, Table, FailedOn:datetime, IngestionSourcePath, Details, FailureKind, ErrorCode"},
      {{".show", "operations"},
       "OperationId:guid, Operation, NodeId, StartedOn:datetime, LastUpdatedOn:datetime, Duration:timespan, State, "
       "Status, Database, User"},
      {{".show", "commands"},
       "ClientActivityId, CommandType, Text, Database, StartedOn:datetime, LastUpdatedOn:datetime, "
       "Duration:timespan, State, User, FailureReason, Application"},
      {{".show", "follower", "databases"}, "DatabaseName, LeaderClusterMetadataPath"},
  };
  return all;
}

bool begins(const std::vector<std::string>& words, const Nothing& nothing) {
  if (words.size() < nothing.words.size()) return false;
  return std::ranges::equal(nothing.words, std::span(words).first(nothing.words.size()),
                            [](std::string_view a, std::string_view b) { return equal_ignoring_case(a, b); });
}

}  // namespace

std::string csl_schema(const kql::Table& table) {
  std::string out;
  for (const kql::Column& column : table.columns)
    out += (out.empty() ? "" : ",") + column.name + ":" + std::string(to_string(column.type));
  return out;
}

std::expected<const kql::Table*, ApiError> find_command_table(const Call& call, std::string_view name) {
  const kql::Table* table = call.parts.services.kql_schema.find(name);
  if (table != nullptr) return table;
  return std::unexpected(
      ApiError{.code = "query_unknown_name", .message = "There is no such table.", .target = "query"});
}

std::vector<const kql::Table*> asked_tables(const Call& call, const AskedCommand& asked) {
  std::vector<const kql::Table*> out;
  for (const kql::Table& table : call.parts.services.kql_schema.tables) {
    if (asked.names.empty() || std::ranges::find(asked.names, table.name) != asked.names.end()) out.push_back(&table);
  }
  return out;
}

Answered show_table_details(const Call& call, const AskedCommand& asked) {
  CommandTable out{texts({"TableName", "DatabaseName", "Folder", "DocString"}), {}};
  for (auto& column : columns_of("TotalExtents:long, TotalExtentSize:long, TotalOriginalSize:long, TotalRowCount:long, "
                                 "HotRowCount:long, RetentionPolicy, MinExtentsCreationTime:datetime, "
                                 "MaxExtentsCreationTime:datetime"))
    out.columns.push_back(std::move(column));
  AskedCommand tables = asked;
  if (equal_ignoring_case(asked.words[1], "table")) {
    API_TRY(const kql::Table* one, find_command_table(call, asked.words[2]));
    tables.names = {one->name};
  }
  const auto all = call.parts.services.workspace.tables();
  for (const kql::Table* table : asked_tables(call, tables)) {
    auto& row = out.rows.emplace_back(
        std::vector<std::string>{text(table->name), text(database_of(call)), text(""), text(""), std::string(kNull)});
    const auto stats = stats_of(all, table->name);
    if (!stats) {  // a view: its rows are those of its tables
      for (int i = 0; i < 4; ++i) row.emplace_back(kNull);
      for (const std::string& cell : {text("null"), std::string(kNull), std::string(kNull)}) row.push_back(cell);
      continue;
    }
    const auto rows = stats->rows + stats->archived_rows + stats->hot_rows;
    const std::string bytes = std::to_string(stats->bytes + stats->archived_bytes);
    for (const std::string& cell : {bytes, bytes, std::to_string(rows), std::to_string(stats->hot_rows),
                                    text(retention_policy(*stats)), time_cell(stats->oldest), time_cell(stats->newest)})
      row.push_back(cell);
  }
  return out;
}

Answered show_table_policy(const Call& call, const AskedCommand& asked) {
  CommandTable out{texts({"PolicyName", "EntityName", "Policy", "ChildEntities", "EntityType"}), {}};
  AskedCommand tables;
  if (asked.words[2] != "*") {
    API_TRY(const kql::Table* one, find_command_table(call, asked.words[2]));
    tables.names = {one->name};
  }
  const bool retention = equal_ignoring_case(asked.words[4], "retention");
  const auto all = call.parts.services.workspace.tables();
  for (const kql::Table* table : asked_tables(call, tables)) {
    const auto stats = stats_of(all, table->name);
    out.rows.push_back({text(asked.words[4]), text("[" + database_of(call) + "].[" + table->name + "]"),
                        text(retention && stats ? retention_policy(*stats) : "null"), text("[]"), text("Table")});
  }
  return out;
}

Answered show_csl_schema(const Call& call, const AskedCommand& /*asked*/) {
  CommandTable out{texts({"TableName", "Schema", "DatabaseName", "Folder", "DocString"}), {}};
  for (const kql::Table& table : call.parts.services.kql_schema.tables)
    out.rows.push_back({text(table.name), text(csl_schema(table)), text(database_of(call)), text(""), text("")});
  return out;
}

Answered show_csl_script(const Call& call, const AskedCommand& /*asked*/) {
  CommandTable out{texts({"DatabaseSchemaScript"}), {}};
  for (const kql::Table& table : call.parts.services.kql_schema.tables)
    out.rows.push_back({text(".create-merge table " + table.name + " (" + csl_schema(table) + ")")});
  for (const state::SavedQuery& function : stored_functions(call.parts.services))
    out.rows.push_back({text(".create-or-alter function " + function.name + " " + function.text)});
  return out;
}

std::optional<CommandTable> empty_command(const std::vector<std::string>& words) {
  for (const Nothing& nothing : nothings()) {
    if (begins(words, nothing)) return CommandTable{columns_of(nothing.columns), {}};
  }
  return std::nullopt;
}

}  // namespace picket::api
