#include "duckdb/hot_scan.h"

#include <atomic>
#include <string>

#include "duckdb/hot_vector.h"

namespace picket::workspace {
namespace {

/// One chunk to show, and the memory it lies in.
struct ScanPart {
  const HotGeneration* generation;
  HotPart part;
};

/// DuckDB hands what we gave it from thread to thread. It does so properly, but in a library that ThreadSanitizer has
/// not instrumented; this pair of our own makes the order visible to it, so that real races in here still show.
class Handover {
 public:
  void give() { count_.fetch_add(1, std::memory_order_release); }
  void take() const { (void)count_.load(std::memory_order_acquire); }

 private:
  std::atomic<std::uint32_t> count_ = 0;
};

struct BindData : Handover {
  std::shared_ptr<const Snapshot> snapshot;  // keeps the generations alive
  const TableLayout* layout = nullptr;
  std::vector<ScanPart> parts;
};

struct ScanState : Handover {
  std::vector<idx_t> columns;  // of the layout, in the order of the output
  std::atomic<std::size_t> next = 0;
};

template <class T>
void destroy(void* data) {
  static_cast<T*>(data)->take();
  delete static_cast<T*>(data);
}

std::vector<ScanPart> parts_of(const Snapshot& snapshot, const TableLayout& layout, TableIndex table) {
  std::vector<ScanPart> out;
  for (const PinnedStream& stream : snapshot.streams) {
    if (stream.stream != layout.stream) continue;
    for (std::size_t g = 0; g < stream.generations.size(); ++g) {
      for (const HotPart& part : stream.hot[g][table]) {
        if (part.rows != 0) out.push_back({stream.generations[g].get(), part});
      }
    }
  }
  return out;
}

void bind(duckdb_bind_info info) {
  const auto& context = *static_cast<const HotScanContext*>(duckdb_bind_get_extra_info(info));
  const Value token(duckdb_bind_get_parameter(info, 0));
  const Value table(duckdb_bind_get_parameter(info, 1));
  const auto index = static_cast<std::uint64_t>(duckdb_get_int64(table.get()));
  auto data = std::make_unique<BindData>();
  data->snapshot = context.snapshots.find(static_cast<std::uint64_t>(duckdb_get_int64(token.get())));
  if (!data->snapshot || index >= context.layouts.size()) {
    return duckdb_bind_set_error(info, "no such snapshot or table");
  }
  data->layout = &context.layouts[index];
  data->parts = parts_of(*data->snapshot, *data->layout, static_cast<TableIndex>(index));
  idx_t rows = 0;
  for (const ScanPart& part : data->parts) rows += part.part.rows;
  for (const Column& column : data->layout->columns) {
    const LogicalType type(duckdb_create_logical_type(duckdb_type_of(column.type)));
    duckdb_bind_add_result_column(info, column.name.c_str(), type.get());
  }
  duckdb_bind_set_cardinality(info, rows, true);
  data->give();
  duckdb_bind_set_bind_data(info, data.release(), destroy<BindData>);
}

void init(duckdb_init_info info) {
  auto state = std::make_unique<ScanState>();
  for (idx_t i = 0; i < duckdb_init_get_column_count(info); ++i) {
    state->columns.push_back(duckdb_init_get_column_index(info, i));
  }
  state->give();
  duckdb_init_set_init_data(info, state.release(), destroy<ScanState>);
}

std::uint32_t fill(const BindData& data, const ScanState& state, const ScanPart& part, duckdb_data_chunk output) {
  for (idx_t i = 0; i < state.columns.size(); ++i) {
    // count(*) asks for the row number, which is no column of ours; its values are never read.
    if (state.columns[i] >= data.layout->columns.size()) continue;
    fill_vector(part.generation->arena(), part.part, state.columns[i], data.layout->columns[state.columns[i]].type,
                duckdb_data_chunk_get_vector(output, i));
  }
  return part.part.rows;
}

void scan(duckdb_function_info info, duckdb_data_chunk output) {
  const auto& data = *static_cast<const BindData*>(duckdb_function_get_bind_data(info));
  auto& state = *static_cast<ScanState*>(duckdb_function_get_init_data(info));
  data.take();
  state.take();
  const std::size_t at = state.next.fetch_add(1);
  const std::uint32_t rows = at < data.parts.size() ? fill(data, state, data.parts[at], output) : 0;
  state.give();
  duckdb_data_chunk_set_size(output, rows);
}

}  // namespace

std::uint64_t SnapshotRegistry::add(std::shared_ptr<const Snapshot> snapshot) {
  const std::lock_guard lock(mutex_);
  snapshots_.emplace(next_, std::move(snapshot));
  return next_++;
}

void SnapshotRegistry::remove(std::uint64_t token) {
  std::shared_ptr<const Snapshot> gone;  // let go of after the lock
  const std::lock_guard lock(mutex_);
  if (const auto found = snapshots_.find(token); found != snapshots_.end()) {
    gone = std::move(found->second);
    snapshots_.erase(found);
  }
}

std::shared_ptr<const Snapshot> SnapshotRegistry::find(std::uint64_t token) const {
  const std::lock_guard lock(mutex_);
  const auto found = snapshots_.find(token);
  return found == snapshots_.end() ? nullptr : found->second;
}

Outcome<> register_hot_scan(const Connection& connection, HotScanContext& context) {
  const TableFunction function(duckdb_create_table_function());
  duckdb_table_function_set_name(function.get(), std::string(kHotScan).c_str());
  const LogicalType number(duckdb_create_logical_type(DUCKDB_TYPE_BIGINT));
  duckdb_table_function_add_parameter(function.get(), number.get());
  duckdb_table_function_add_parameter(function.get(), number.get());
  duckdb_table_function_set_extra_info(function.get(), &context, nullptr);
  duckdb_table_function_set_bind(function.get(), bind);
  duckdb_table_function_set_init(function.get(), init);
  duckdb_table_function_set_function(function.get(), scan);
  duckdb_table_function_supports_projection_pushdown(function.get(), true);
  if (duckdb_register_table_function(connection.get(), function.get()) != DuckDBSuccess) {
    return engine_fail("workspace.open.hot_scan", "");
  }
  return {};
}

}  // namespace picket::workspace
