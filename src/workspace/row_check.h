// What append() checks before anything is written: so that a refused append leaves no trace, and no hostile text gets
// in.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "workspace/rows.h"

namespace picket::workspace {

/// A text cell that was not UTF-8, and what is stored instead (U+FFFD for each bad byte).
struct Repair {
  std::size_t row = 0;
  std::size_t cell = 0;
  std::string text;
};

struct CheckedRows {
  std::span<const Row> fresh;    ///< Without the rows at or below `held`.
  std::uint64_t text_bytes = 0;  ///< Sum of all texts as they are stored.
  std::uint64_t text_cells = 0;
  std::vector<std::uint64_t> rows_of_table;  ///< By TableIndex.
  std::vector<Repair> repairs;               ///< Indices into `fresh`, ascending.
};

/// Rows must be in the order of their ids, belong to tables of `stream`, have sequences in (held, through] or be
/// skipped, and fit their columns. Errors: malformed "workspace.append.order|table|cells|cell_type|int32|text".
Result<CheckedRows> check_rows(const Schema& schema, std::string_view stream, std::uint64_t held, std::uint64_t through,
                               std::span<const Row> rows);

/// Longest text of one cell.
inline constexpr std::size_t kTextBytesMax = 16U << 20;

}  // namespace picket::workspace
