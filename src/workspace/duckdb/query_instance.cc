#include "duckdb/query_instance.h"

#include <thread>

#include <fmt/format.h>

#include "base/server/priority.h"
#include "duckdb/part_select.h"
#include "duckdb/relations.h"
#include "duckdb/result_reader.h"
#include "duckdb/sql_guard.h"

namespace picket::workspace {
namespace {

/// A snapshot's number, as long as its query runs.
class Registration {
 public:
  Registration(SnapshotRegistry& registry, std::shared_ptr<const Snapshot> snapshot)
      : registry_(registry), token_(registry.add(std::move(snapshot))) {}
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;
  ~Registration() { registry_.remove(token_); }
  [[nodiscard]] std::uint64_t token() const { return token_; }

 private:
  SnapshotRegistry& registry_;
  std::uint64_t token_;
};

/// A query is asked again without the files that were found to be damaged, so often at most.
constexpr int kAttemptsMax = 4;

// Settings of one connection, the only ones that may still be changed once the instance is locked.
constexpr const char* kWithProgress = "SET enable_progress_bar = true; SET enable_progress_bar_print = false";

// DuckDB's threads inherit the priority of the thread that opens the instance: what they compute gives way to the hub
// and the pipeline, however hostile the query is.
Outcome<Database> open_in_background(const std::vector<std::pair<std::string, std::string>>& settings) {
  Outcome<Database> out;
  std::jthread([&] {
    lower_priority();
    out = open_instance(settings);
  }).join();
  return out;
}

bool bind_cell(const Prepared& prepared, idx_t index, const Cell& cell) {
  switch (cell.kind()) {
    case Cell::Kind::null:
      return duckdb_bind_null(prepared.get(), index) == DuckDBSuccess;
    case Cell::Kind::boolean:
      return duckdb_bind_boolean(prepared.get(), index, cell.as_boolean()) == DuckDBSuccess;
    case Cell::Kind::integer:
      return duckdb_bind_int64(prepared.get(), index, cell.as_integer()) == DuckDBSuccess;
    case Cell::Kind::real:
      return duckdb_bind_double(prepared.get(), index, cell.as_real()) == DuckDBSuccess;
    case Cell::Kind::timestamp:
      return duckdb_bind_timestamp(prepared.get(), index, duckdb_timestamp{cell.as_timestamp().us}) == DuckDBSuccess;
    case Cell::Kind::text:
      return duckdb_bind_varchar_length(prepared.get(), index, cell.as_text().data(), cell.as_text().size()) ==
             DuckDBSuccess;
  }
  return false;
}

}  // namespace

Outcome<std::unique_ptr<QueryInstance>> QueryInstance::open(const DuckdbOptions& options,
                                                            const std::string& spill_directory, const Schema& schema,
                                                            const Layouts& layouts, QueryWatch& watch,
                                                            DamageBook& damage) {
  std::unique_ptr<QueryInstance> instance(new QueryInstance(schema, layouts, watch, damage));
  TRY(instance->database_, open_in_background({{"memory_limit", fmt::format("{}B", options.query_memory_bytes)},
                                               {"threads", fmt::format("{}", options.query_threads)},
                                               {"autoinstall_known_extensions", "false"},
                                               {"autoload_known_extensions", "false"},
                                               {"allow_community_extensions", "false"}}));
  TRY(Connection connection, connect(instance->database_));
  TRY_VOID(register_hot_scan(connection, instance->context_));
  if (options.register_functions && !options.register_functions(connection.get())) {
    return engine_fail("workspace.open.functions", "register_functions returned false");
  }
  TRY_VOID(instance->lock_down(connection, options, spill_directory));
  instance->attachments_ = std::make_unique<Attachments>(std::move(connection), options.segments_open_max);
  return instance;
}

Outcome<> QueryInstance::lock_down(const Connection& connection, const DuckdbOptions& options,
                                   const std::string& spill_directory) {
  constexpr std::string_view kWhere = "workspace.open.lock_down";
  const std::vector<std::string> statements{
      "SET temp_directory = " + quote_text(spill_directory),
      fmt::format("SET max_temp_directory_size = '{}B'", options.query_spill_bytes),
      // Segments come and go while it runs, so their folder stays reachable for ATTACH; what a query says is checked
      // before (sql_guard.h), so that it cannot read there either.
      fmt::format("SET allowed_directories = [{}]", quote_text(options.directory + "/")),
      "SET allowed_configs = ['enable_progress_bar', 'enable_progress_bar_print']",
      "SET enable_external_access = false",
      "SET lock_configuration = true",
  };
  for (const std::string& statement : statements) TRY_VOID(workspace::run(connection, statement, kWhere));
  return {};
}

QueryOutcome QueryInstance::query(const QueryRequest& request, std::shared_ptr<const Snapshot> snapshot,
                                  Deadline deadline) {
  auto connection = connect(database_);
  if (!connection) return std::unexpected(internal(connection.error()));
  const QueryWatch::Guard guard(watch_, connection->get(), deadline, request);

  if (request.progress) static_cast<void>(workspace::run(*connection, kWithProgress, "workspace.query.progress"));
  QueryOutcome outcome = answer(*connection, request, snapshot);
  if (!outcome) {
    if (const auto verdict = guard.verdict()) {
      outcome.error().kind = *verdict;
      outcome.error().text = *verdict == QueryError::Kind::timeout  ? "the query took longer than its time limit"
                             : *verdict == QueryError::Kind::memory ? "the query needs more memory than queries may use"
                                                                    : "the query was cancelled";
    }
    return outcome;
  }
  for (const PinnedStream& stream : snapshot->streams) outcome->visible_through.push_back(stream.visible_through);
  return outcome;
}

QueryOutcome QueryInstance::answer(const Connection& connection, const QueryRequest& request,
                                   const std::shared_ptr<const Snapshot>& snapshot) {
  auto used = check_sql(connection, request.sql, schema_);
  if (!used) return std::unexpected(std::move(used).error());
  if (!request.computed.empty()) {
    if (auto probe = check_sql(connection, probe_of(request.computed), schema_); !probe)
      return std::unexpected(std::move(probe).error());
  }
  const Registration registration(snapshots_, snapshot);
  // Leases end before the snapshot: a retired segment is detached only when both are gone.
  AttachmentLeases leases(*attachments_);
  for (int attempt = 1;; ++attempt) {
    QueryFiles files{leases, archive_, facts_, checked_, damage_, connection, {}, {}};
    const auto sql = wrap_query(request, *used, schema_, layouts_, *snapshot, registration.token(), files);
    if (!sql) return std::unexpected(internal(sql.error()));
    QueryOutcome outcome = run(connection, *sql, request);
    if (!outcome && attempt < kAttemptsMax && tells_of_damage(outcome.error().text) &&
        find_damage(connection, files.sources)) {
      continue;
    }
    if (outcome && !files.missing.empty()) {
      if (!outcome->truncated) outcome->cut = Cut::damage;
      outcome->truncated = true;
      outcome->missing = std::move(files.missing);
    }
    return outcome;
  }
}

// What was read whole stays known, so that a search that the time limit ends goes on with the next query.
bool QueryInstance::find_damage(const Connection& connection, const std::vector<QuerySource>& sources) {
  bool found = false;
  for (const QuerySource& source : sources) {
    const std::string& table = source.extent->table;
    if (source.alias.empty()) {
      archive_.forget(source.path);
      const auto good = archive_.verify(source.path, *source.extent);
      if (good || good.error().error.code != Errc::malformed) continue;
      damage_.note(source.path, *source.segment, "is damaged: its checksum is wrong");
      found = true;
    } else if (!whole_.contains(source.path, table)) {
      const auto problem = check_content(connection, source.alias, table);
      if (!problem) break;  // no time or no memory is left
      if (!*problem) whole_.insert(source.path, table);
      if (*problem) damage_.note(source.path, *source.segment, **problem);
      found |= problem->has_value();
    }
  }
  return found;
}

QueryError QueryInstance::internal(const EngineError& error) {
  QueryError out = classify(error.text, error.type);
  if (out.kind == QueryError::Kind::invalid) out.kind = QueryError::Kind::internal;
  return out;
}

std::expected<Prepared, QueryError> QueryInstance::prepare(const Connection& connection, const WrappedQuery& query,
                                                           const QueryRequest& request) {
  Prepared prepared;
  if (duckdb_prepare(connection.get(), query.sql.c_str(), prepared.out()) != DuckDBSuccess) {
    const char* text = duckdb_prepare_error(prepared.get());
    return std::unexpected(classify(text == nullptr ? "" : text, DUCKDB_ERROR_INVALID));
  }
  if (duckdb_prepared_statement_type(prepared.get()) != DUCKDB_STATEMENT_TYPE_SELECT) {
    return std::unexpected(QueryError{QueryError::Kind::invalid, "a query is one SELECT"});
  }
  const idx_t added = query.adds_parameter ? 1 : 0;
  if (duckdb_nparams(prepared.get()) != request.binds.size() + added) {
    return std::unexpected(QueryError{QueryError::Kind::invalid, "the query has another number of parameters"});
  }
  if (added != 0 && duckdb_bind_null(prepared.get(), request.binds.size() + 1) != DuckDBSuccess) {
    return std::unexpected(QueryError{QueryError::Kind::internal, "a parameter could not be bound"});
  }
  for (idx_t i = 0; i < request.binds.size(); ++i) {
    if (!bind_cell(prepared, i + 1, request.binds[i])) {
      return std::unexpected(QueryError{QueryError::Kind::invalid, fmt::format("parameter ${} does not fit", i + 1)});
    }
  }
  return prepared;
}

QueryOutcome QueryInstance::run(const Connection& connection, const WrappedQuery& query, const QueryRequest& request) {
  auto prepared = prepare(connection, query, request);
  if (!prepared) return std::unexpected(std::move(prepared).error());
  Pending pending;
  if (duckdb_pending_prepared_streaming(prepared->get(), pending.out()) != DuckDBSuccess) {
    const char* text = duckdb_pending_error(pending.get());
    return std::unexpected(classify(text == nullptr ? "" : text, DUCKDB_ERROR_INVALID));
  }
  ResultSet result;
  const auto failed = [&]() {
    const char* text = duckdb_result_error(result.get());
    return std::unexpected(classify(text == nullptr ? "" : text, duckdb_result_error_type(result.get())));
  };
  if (duckdb_execute_pending(pending.get(), result.get()) != DuckDBSuccess) return failed();
  auto out = make_result(result.get());
  if (!out) return out;
  for (;;) {
    const Chunk chunk(duckdb_fetch_chunk(*result.get()));
    if (chunk.get() == nullptr) {
      if (const char* text = duckdb_result_error(result.get()); text != nullptr && *text != '\0') return failed();
      return out;
    }
    const auto more = add_chunk(chunk.get(), request, *out);
    if (!more) return std::unexpected(more.error());
    if (!*more) return out;
  }
}

QueryError QueryInstance::classify(std::string text, duckdb_error_type type) {
  using Kind = QueryError::Kind;
  // Errors of prepare and pending come without a type; DuckDB's texts begin with its name.
  const auto is = [&](duckdb_error_type wanted, std::string_view prefix) {
    return type == wanted || text.starts_with(prefix);
  };
  // Functions of ours can only say so in their text, behind DuckDB's own words.
  if (is(DUCKDB_ERROR_OUT_OF_MEMORY, "Out of Memory Error") || text.contains("Error: Out of Memory Error: ")) {
    return {Kind::memory, "the query needs more memory than queries may use; narrow it by time or columns"};
  }
  if (is(DUCKDB_ERROR_FATAL, "FATAL Error") || is(DUCKDB_ERROR_INTERNAL, "INTERNAL Error")) {
    broken_.store(true);
    return {Kind::internal, std::move(text)};
  }
  if (is(DUCKDB_ERROR_IO, "IO Error")) return {Kind::internal, std::move(text)};
  return {Kind::invalid, std::move(text)};
}

}  // namespace picket::workspace
