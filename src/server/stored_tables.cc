#include "stored_tables.h"

#include <fmt/format.h>

#include "base/server/log.h"
#include "kql/duckdb.h"
#include "pipeline/tables.h"
#include "query_schema.h"
#include "workspace/tables.h"

namespace picket::server {
namespace {

Result<> set_retention(workspace::DuckdbOptions& to, const Options& options, const workspace::Schema& schema,
                       const state::TableRetentions& decided, std::string& detail) {
  const workspace::Retention retention{options.retention_age, options.retention_bytes};
  to.streams = {{std::string(workspace::kMessagesStream), retention},
                {std::string(workspace::kDerivedStream), retention}};
  for (const auto& [table, kept] : options.table_retention) {
    if (!schema.find_table(table)) {
      detail = fmt::format("table_retention names '{}', which is no stored table (picket workspace tables names them)", table);
      return fail(Errc::not_found, "server.table_retention");
    }
    to.tables[table] = {kept.keep, kept.archive};
  }
  // Before anything is thrown away by the settings: what operators have decided since.
  TRY(const auto rows, decided.list());
  for (const state::TableRetentionRow& row : rows) {
    to.tables_set[row.table] = {Duration::days(row.days), Duration::days(row.archive_days)};
  }
  return {};
}

void refresh(kql::LocationFile& locations) {
  const auto read = locations.refresh();
  if (!read) log::warning("server", "places of addresses in {}: {}", locations.path(), describe(read.error()));
}

}  // namespace

StoredTables::StoredTables(const Options& options, const state::SavedQueries& saved_queries)
    : hub_(options.hub),
      saved_queries_(saved_queries),
      schema_(pipeline::make_workspace_schema()),
      query_schema_(make_query_schema(schema_)) {
  if (options.geo_database.empty()) return;
  locations_ = std::make_shared<kql::LocationFile>(options.geo_database);
  refresh(*locations_);
}

Result<std::unique_ptr<StoredTables>> StoredTables::open(const Options& options, Storage& storage,
                                                         std::string& detail) {
  std::unique_ptr<StoredTables> out(new StoredTables(options, storage.state.saved_queries));
  workspace::DuckdbOptions engine;
  engine.directory = storage.data.segments();
  TRY_VOID(set_retention(engine, options, out->schema_, storage.state.table_retentions, detail));
  engine.register_functions = [locations = out->locations_](void* connection) {
    auto* const to = static_cast<duckdb_connection>(connection);
    if (!kql::register_kql_functions(to)) return false;
    return locations == nullptr || kql::register_location_function(to, locations).has_value();
  };
  TRY(out->workspace_,
      workspace::open_duckdb_workspace(std::move(engine), out->schema_, storage.retention_clock, &detail));
  for (const workspace::DamagedFile& file : out->workspace_->damaged()) log::error("workspace", "{}", sentence(file));
  return out;
}

bool StoredTables::has_locations() const {
  if (locations_ == nullptr) return false;
  refresh(*locations_);
  return locations_->current() != nullptr;
}

kql::Schema StoredTables::query_schema_now() const {
  kql::Schema schema = query_schema_;
  const auto functions = saved_queries_.list(state::SavedKind::function);
  schema.database = hub_;
  schema.locations = has_locations();
  if (!functions) return schema;
  for (const state::SavedQuery& function : *functions) schema.functions.push_back({function.name, function.text});
  return schema;
}

}  // namespace picket::server
