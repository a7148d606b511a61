// Rows that are appended but not sealed: column chunks of one DuckDB vector each, in generations.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "duckdb/hot_arena.h"
#include "workspace/rows.h"
#include "workspace/schema.h"

namespace picket::workspace {

/// Rows of a chunk: DuckDB's standard vector size, checked at open.
inline constexpr std::uint32_t kChunkRows = 2048;

/// A stored table with its system columns in front. Fixed after construction.
struct TableLayout {
  std::string name;
  std::string stream;
  std::vector<Column> columns;  ///< System columns first.
  std::size_t time_column = 0;  ///< Index in `columns`.
};
using Layouts = std::vector<TableLayout>;  ///< By TableIndex.
Layouts layouts_of(const Schema& schema);

/// Up to kChunkRows rows of one table. A column has no memory until its first value that is not null.
/// Fixed-width columns: kChunkRows validity bytes, then the values. Text columns: 32-bit offsets of (u32 length, bytes)
/// in the arena, 0 for null.
/// One writer; a reader that was told of n rows may read those n, while the writer goes on behind them.
class HotChunk {
 public:
  explicit HotChunk(std::size_t columns) : columns_(std::make_unique<std::atomic<std::uint32_t>[]>(columns)) {}

  [[nodiscard]] std::uint32_t column(std::size_t i) const { return columns_[i].load(std::memory_order_acquire); }
  void set_column(std::size_t i, std::uint32_t offset) { columns_[i].store(offset, std::memory_order_release); }

  std::uint32_t rows = 0;  ///< Writer only.

 private:
  std::unique_ptr<std::atomic<std::uint32_t>[]> columns_;
};

/// Bytes of one value of a column in a chunk; text: its offset.
std::size_t value_width(ColumnType type);

/// What a reader holds of a chunk.
struct HotPart {
  const HotChunk* chunk = nullptr;
  std::uint32_t rows = 0;
};

struct HotTable {
  std::vector<std::unique_ptr<HotChunk>> chunks;
  std::uint64_t rows = 0;
  Timestamp time_min = kTimestampMax;
  Timestamp time_max = kTimestampMin;
  std::vector<std::uint32_t> last_text;  ///< By column: offset of the newest text, to share it when it repeats.
};

/// Upper bound of the arena bytes that `rows` more rows of a table take, texts aside. `table`: nullptr when empty.
std::uint64_t growth_max(const TableLayout& layout, const HotTable* table, std::uint64_t rows);

/// Rows of consecutive records of one stream, all sealed together. Not thread-safe but for what HotChunk allows: the
/// stream's lock guards it until it is frozen.
class HotGeneration {
 public:
  static Result<std::shared_ptr<HotGeneration>> make(const Layouts& layouts, std::uint64_t bytes_reserved);

  /// Adds one row that was checked before (row_check.h) and fits (growth_max and the texts).
  void add(const Row& row);

  [[nodiscard]] const HotTable& table(TableIndex index) const { return tables_[index]; }
  [[nodiscard]] const HotArena& arena() const { return arena_; }
  [[nodiscard]] const Layouts& layouts() const { return layouts_; }
  [[nodiscard]] std::uint64_t rows() const { return rows_; }
  [[nodiscard]] std::uint64_t bytes() const { return arena_.used(); }
  [[nodiscard]] std::vector<HotPart> parts(TableIndex table) const;

  std::uint64_t last = 0;  ///< Last record in it.
  Timestamp opened;        ///< When its first record came.

 private:
  HotGeneration(const Layouts& layouts, HotArena arena)
      : layouts_(layouts), arena_(std::move(arena)), tables_(layouts.size()) {}

  void set(HotTable& table, HotChunk& chunk, std::size_t column, ColumnType type, const Cell& cell);
  std::uint32_t add_text(HotTable& table, std::size_t column, std::string_view text);

  const Layouts& layouts_;
  HotArena arena_;
  std::vector<HotTable> tables_;  // by TableIndex
  std::uint64_t rows_ = 0;
};

}  // namespace picket::workspace
