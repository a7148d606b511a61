#include "duckdb/hot_rows.h"

#include <algorithm>
#include <cstring>

namespace picket::workspace {
namespace {

constexpr std::size_t kAlign = 8;

bool is_text(ColumnType type) { return type == ColumnType::text || type == ColumnType::json; }

/// Memory of one column of a chunk: text offsets, or validity bytes and then values.
std::size_t column_bytes(ColumnType type) {
  return kChunkRows * (is_text(type) ? value_width(type) : 1 + value_width(type));
}

template <class T>
void write(std::byte* at, std::size_t index, T value) {
  std::memcpy(at + index * sizeof(T), &value, sizeof(T));
}

Timestamp clamp(Timestamp time) { return std::clamp(time, kTimestampMin, kTimestampMax); }

}  // namespace

Layouts layouts_of(const Schema& schema) {
  Layouts out;
  for (const TableSchema& table : schema.tables) {
    TableLayout layout{table.name, table.stream, {system_columns().begin(), system_columns().end()}};
    layout.columns.insert(layout.columns.end(), table.columns.begin(), table.columns.end());
    const auto time = std::ranges::find(layout.columns, table.time_column, &Column::name);
    layout.time_column = static_cast<std::size_t>(time - layout.columns.begin());
    out.push_back(std::move(layout));
  }
  return out;
}

std::size_t value_width(ColumnType type) {
  switch (type) {
    case ColumnType::boolean:
      return 1;
    case ColumnType::int32:
    case ColumnType::text:
    case ColumnType::json:
      return 4;
    case ColumnType::int64:
    case ColumnType::real:
    case ColumnType::timestamp:
      return 8;
  }
  return 8;
}

Result<std::shared_ptr<HotGeneration>> HotGeneration::make(const Layouts& layouts, std::uint64_t bytes_reserved) {
  TRY(HotArena arena, HotArena::reserve(bytes_reserved));
  return std::shared_ptr<HotGeneration>(new HotGeneration(layouts, std::move(arena)));
}

std::uint64_t growth_max(const TableLayout& layout, const HotTable* table, std::uint64_t rows) {
  if (rows == 0) return 0;
  const HotChunk* newest = table == nullptr || table->chunks.empty() ? nullptr : table->chunks.back().get();
  std::uint64_t whole = 0;
  std::uint64_t missing = 0;  // columns of the newest chunk that have no memory yet
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    const std::uint64_t bytes = column_bytes(layout.columns[i].type) + kAlign;
    whole += bytes;
    if (newest != nullptr && newest->column(i) == 0) missing += bytes;
  }
  const std::uint64_t room = newest == nullptr ? 0 : kChunkRows - newest->rows;
  const std::uint64_t beyond = rows > room ? rows - room : 0;
  return missing + whole * ((beyond + kChunkRows - 1) / kChunkRows);
}

std::vector<HotPart> HotGeneration::parts(TableIndex table) const {
  std::vector<HotPart> out;
  out.reserve(tables_[table].chunks.size());
  for (const auto& chunk : tables_[table].chunks) out.push_back({chunk.get(), chunk->rows});
  return out;
}

void HotGeneration::add(const Row& row) {
  HotTable& table = tables_[row.table];
  const TableLayout& layout = layouts_[row.table];
  if (table.chunks.empty() || table.chunks.back()->rows == kChunkRows) {
    table.chunks.push_back(std::make_unique<HotChunk>(layout.columns.size()));
    table.last_text.resize(layout.columns.size());
  }
  HotChunk& chunk = *table.chunks.back();
  const Cell system[] = {Cell::integer(static_cast<std::int64_t>(row.id.sequence)), Cell::integer(row.id.event),
                         Cell::integer(row.id.item), Cell::timestamp(row.ingested)};
  const std::size_t systems = std::size(system);
  for (std::size_t i = 0; i < systems; ++i) set(table, chunk, i, layout.columns[i].type, system[i]);
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    set(table, chunk, systems + i, layout.columns[systems + i].type, row.cells[i]);
  }
  const std::size_t time_cell = layout.time_column - systems;
  if (time_cell < row.cells.size() && !row.cells[time_cell].is_null()) {
    const Timestamp time = clamp(row.cells[time_cell].as_timestamp());
    table.time_min = std::min(table.time_min, time);
    table.time_max = std::max(table.time_max, time);
  }
  ++chunk.rows;
  ++table.rows;
  ++rows_;
}

void HotGeneration::set(HotTable& table, HotChunk& chunk, std::size_t column, ColumnType type, const Cell& cell) {
  if (cell.is_null()) return;  // fresh memory is zero: null
  std::uint32_t at = chunk.column(column);
  if (at == 0) {
    at = arena_.allocate(column_bytes(type), kAlign);
    chunk.set_column(column, at);
  }
  std::byte* memory = arena_.at(at);
  if (is_text(type)) {
    write(memory, chunk.rows, add_text(table, column, cell.as_text()));
    return;
  }
  memory[chunk.rows] = std::byte{1};
  std::byte* values = memory + kChunkRows;
  switch (type) {
    case ColumnType::boolean:
      write(values, chunk.rows, static_cast<std::uint8_t>(cell.as_boolean()));
      break;
    case ColumnType::int32:
      write(values, chunk.rows, static_cast<std::int32_t>(cell.as_integer()));
      break;
    case ColumnType::real:
      write(values, chunk.rows, cell.as_real());
      break;
    case ColumnType::timestamp:
      write(values, chunk.rows, clamp(cell.as_timestamp()).us);
      break;
    default:
      write(values, chunk.rows, cell.as_integer());
      break;
  }
}

std::uint32_t HotGeneration::add_text(HotTable& table, std::size_t column, std::string_view text) {
  // One message's rows repeat device, event id, user and so on: keep such a text once.
  if (const std::uint32_t last_offset = table.last_text[column]; last_offset != 0) {
    std::uint32_t size = 0;
    std::memcpy(&size, arena_.at(last_offset), sizeof(size));
    if (size == text.size() && std::memcmp(arena_.at(last_offset) + sizeof(size), text.data(), size) == 0) {
      return last_offset;
    }
  }
  const std::uint32_t offset = arena_.allocate(sizeof(std::uint32_t) + text.size(), sizeof(std::uint32_t));
  const auto size = static_cast<std::uint32_t>(text.size());
  std::memcpy(arena_.at(offset), &size, sizeof(size));
  if (size != 0) std::memcpy(arena_.at(offset) + sizeof(size), text.data(), size);
  table.last_text[column] = offset;
  return offset;
}

}  // namespace picket::workspace
