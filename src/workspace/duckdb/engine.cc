#include "duckdb/engine.h"

#include <algorithm>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>

namespace picket::workspace {
namespace {

StreamLimits limits_of(const DuckdbOptions& options) {
  return {options.hot_rows_max, options.hot_bytes_max, options.seal_rows, options.seal_bytes, options.seal_age};
}

std::uint64_t rows_in_file(const SegmentInfo& segment) {
  std::uint64_t out = 0;
  for (const TableExtent& extent : segment.tables) out += extent.archived ? 0 : extent.rows;
  return out;
}

void widen(TableStats& table, Timestamp from, Timestamp to) {
  if (from > to) return;  // no row has a time
  table.oldest = std::min(table.oldest.value_or(from), from);
  table.newest = std::max(table.newest.value_or(to), to);
}

std::vector<std::string> stream_names(const Schema& schema) {
  std::vector<std::string> out;
  for (const TableSchema& table : schema.tables) {
    if (std::ranges::find(out, table.stream) == out.end()) out.push_back(table.stream);
  }
  return out;
}

}  // namespace

DuckdbWorkspace::DuckdbWorkspace(DuckdbOptions options, Schema schema, const Clock& clock)
    : options_(std::move(options)),
      schema_(std::move(schema)),
      layouts_(layouts_of(schema_)),
      retention_(schema_, options_.streams, options_.tables, options_.tables_set),
      clock_(clock),
      spill_(options_.directory + "/.spill"),
      damage_(options_.directory),
      gate_(options_.queries_running_max, options_.queries_waiting_max),
      watch_(options_.query_memory_bytes + options_.query_texts_bytes) {}

DuckdbWorkspace::~DuckdbWorkspace() {
  maintenance_.reset();
  instance_.reset();
  store_.reset();
}

Outcome<std::unique_ptr<DuckdbWorkspace>> DuckdbWorkspace::open(DuckdbOptions options, Schema schema,
                                                                const Clock& clock) {
  TRY_VOID(validate(schema));
  if (options.queries_running_max == 0 || options.query_threads == 0 || options.directory.empty()) {
    return std::unexpected(EngineError(Error{Errc::malformed, "workspace.open.options"}));
  }
  std::error_code error;
  options.directory = std::filesystem::absolute(options.directory, error).lexically_normal().string();
  while (options.directory.size() > 1 && options.directory.ends_with('/')) options.directory.pop_back();
  std::unique_ptr<DuckdbWorkspace> workspace(new DuckdbWorkspace(std::move(options), std::move(schema), clock));
  TRY_VOID(workspace->start());
  return workspace;
}

Outcome<> DuckdbWorkspace::start() {
  if (duckdb_vector_size() != kChunkRows) return engine_fail("workspace.open.vector_size", "built for vectors of 2048");
  TRY_VOID(make_directories(options_.directory));
  TRY_VOID(lock_directory());
  TRY_VOID(clear_spill());
  for (const std::string& name : stream_names(schema_)) {
    TRY(auto stream, Stream::open(options_.directory, name, schema_, layouts_, limits_of(options_), graveyard_, damage_,
                                  leftovers_));
    streams_.push_back(std::move(stream));
  }
  TRY(store_, SegmentStore::open(options_.store_memory_bytes, spill_ + "/store"));
  TRY(auto instance, QueryInstance::open(options_, spill_ + "/query", schema_, layouts_, watch_, damage_));
  instance_ = std::move(instance);
  maintenance_ = std::make_unique<Maintenance>(MaintenanceContext{options_, layouts_, retention_, streams_, *store_,
                                                                  graveyard_, damage_, clock_,
                                                                  [this](const std::string& path) { forget(path); }});
  return {};
}

Result<> DuckdbWorkspace::lock_directory() {
  TRY(lock_, open_file(options_.directory + "/lock", O_RDWR | O_CREAT | O_CLOEXEC));
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return {};
  if (errno == EWOULDBLOCK) return fail(Errc::denied, "workspace.lock");
  return fail_errno("workspace.lock");
}

Outcome<> DuckdbWorkspace::clear_spill() {
  std::error_code error;
  std::filesystem::remove_all(spill_, error);
  if (error) return std::unexpected(EngineError(Error{Errc::io, "workspace.open.spill", 0, error.value()}));
  TRY_VOID(make_directories(spill_));
  return {};
}

Stream* DuckdbWorkspace::find(std::string_view name) const {
  for (const auto& stream : streams_) {
    if (stream->name() == name) return stream.get();
  }
  return nullptr;
}

std::vector<std::string> DuckdbWorkspace::streams() const { return stream_names(schema_); }

Result<> DuckdbWorkspace::append(std::string_view stream, std::uint64_t through, std::span<const Row> rows) {
  Stream* found = find(stream);
  if (found == nullptr) return fail(Errc::not_found, "workspace.append.stream");
  auto due = found->append(through, rows, clock_.now());
  if (due ? *due : due.error().code == Errc::limit_exceeded) maintenance_->wake();
  if (!due) return std::unexpected(due.error());
  return {};
}

std::uint64_t DuckdbWorkspace::sealed_through(std::string_view stream) const {
  const Stream* found = find(stream);
  return found == nullptr ? 0 : found->positions().sealed_through;
}

std::uint64_t DuckdbWorkspace::hot_end(std::string_view stream) const {
  const Stream* found = find(stream);
  return found == nullptr ? 0 : found->positions().hot_end;
}

std::uint64_t DuckdbWorkspace::dropped_through(std::string_view stream) const {
  const Stream* found = find(stream);
  return found == nullptr ? 0 : found->positions().dropped_through;
}

Outcome<std::shared_ptr<QueryInstance>> DuckdbWorkspace::instance() {
  const std::lock_guard lock(instance_mutex_);
  if (instance_ && !instance_->broken()) return instance_;
  instance_ = nullptr;
  TRY(auto fresh, QueryInstance::open(options_, spill_ + "/query", schema_, layouts_, watch_, damage_));
  instance_ = std::move(fresh);
  return instance_;
}

void DuckdbWorkspace::forget(const std::string& path) {
  const std::lock_guard lock(instance_mutex_);
  if (instance_) instance_->forget(path);
}

QueryOutcome DuckdbWorkspace::query(const QueryRequest& request) {
  ++queries_;
  const auto fail_with = [&](QueryError::Kind kind, std::string text) -> QueryOutcome {
    ++queries_failed_;
    return std::unexpected(QueryError{kind, std::move(text)});
  };
  const Deadline deadline = deadline_after(request.timeout);
  if (const auto refused = gate_.enter(deadline, request.cancellation)) {
    return fail_with(*refused,
                     *refused == QueryError::Kind::busy ? "too many queries at once" : "the query waited too long");
  }
  struct Leave {
    QueryGate& gate;
    ~Leave() { gate.leave(); }
  } const leave{gate_};
  auto use = instance();
  if (!use) return fail_with(QueryError::Kind::internal, describe(use.error()));
  QueryOutcome outcome = (*use)->query(request, snapshot_of(request), deadline);
  if (!outcome) ++queries_failed_;
  return outcome;
}

std::shared_ptr<const Snapshot> DuckdbWorkspace::snapshot_of(const QueryRequest& request) const {
  const auto pin = [this] {
    auto snapshot = std::make_shared<Snapshot>();
    for (const auto& stream : streams_) snapshot->streams.push_back(stream->pin());
    return snapshot;
  };
  if (!request.view) return pin();
  return std::static_pointer_cast<const Snapshot>(request.view->get(pin));
}

WorkspaceStats DuckdbWorkspace::stats() const {
  WorkspaceStats out;
  for (const auto& stream : streams_) out.streams.push_back(stream->stats());
  out.leftovers_removed = leftovers_;
  out.damaged_files = damage_.size();
  out.queries = queries_;
  out.queries_failed = queries_failed_;
  out.queries_running = gate_.running();
  out.queries_waiting = gate_.waiting();
  out.last_error = maintenance_->last_error();
  return out;
}

std::vector<TableStats> DuckdbWorkspace::tables() const {
  std::vector<TableStats> out;
  for (const TableSchema& table : schema_.tables) out.push_back({table.name, table.stream, retention_.of(table.name)});
  for (const auto& stream : streams_) {
    for (const SegmentInfo& segment : stream->segments()) {
      for (const TableExtent& extent : segment.tables) {
        const auto index = schema_.find_table(extent.table);
        if (!index) continue;
        TableStats& sum = out[*index];
        (extent.archived ? sum.archived_rows : sum.rows) += extent.rows;
        sum.archived_bytes += extent.bytes;
        if (!extent.archived)
          sum.bytes += segment.bytes * extent.rows / std::max<std::uint64_t>(rows_in_file(segment), 1);
        widen(sum, extent.time_min, extent.time_max);
      }
    }
    for (TableIndex i = 0; i < out.size(); ++i) {
      const TableExtent hot = stream->hot_extent(i);
      out[i].hot_rows += hot.rows;
      if (hot.rows != 0) widen(out[i], hot.time_min, hot.time_max);
    }
  }
  return out;
}

Result<> DuckdbWorkspace::set_retention(std::string_view table, std::optional<TableRetention> retention) {
  if (!schema_.find_table(table)) return fail(Errc::not_found, "workspace.retention.table");
  retention_.set(table, retention);
  return {};
}

Result<std::unique_ptr<Workspace>> open_duckdb_workspace(DuckdbOptions options, Schema schema, const Clock& clock,
                                                         std::string* detail) {
  auto opened = DuckdbWorkspace::open(std::move(options), std::move(schema), clock);
  if (opened) return std::unique_ptr<Workspace>(*std::move(opened));
  if (detail != nullptr) *detail = describe(opened.error());
  return std::unexpected(opened.error().error);
}

}  // namespace picket::workspace
