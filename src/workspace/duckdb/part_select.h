// How a query reads one piece of a table: a table of a segment, a file of the archive, the hot rows.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "duckdb/hot_rows.h"
#include "duckdb/sql_guard.h"
#include "workspace/query.h"

namespace picket::workspace {

/// What a query wants of one table, the same of all its pieces.
struct TableRead {
  const TableLayout& layout;
  std::vector<const Column*> columns;           ///< Those that its text mentions, at least one.
  std::vector<const ComputedColumn*> computed;  ///< Those of this table.
};
TableRead table_read(const TableLayout& layout, const SqlUse& use, std::span<const ComputedColumn> computed);

/// Whether the bits of a computed column's mask are clear in all rows of the piece.
using BitsClear = std::function<bool(const ComputedColumn&)>;

/// SELECT of the wanted columns, in one order for all pieces. `there`: the names of the piece's columns; the others
/// are null.
std::string select_part(const TableRead& read, const std::string& from, const std::set<std::string>& there,
                        const BitsClear& clear);

/// One SELECT that names what the computed columns name, for the guard; empty when there are none.
std::string probe_of(std::span<const ComputedColumn> computed);

}  // namespace picket::workspace
