// Rows that somebody else than the pipeline has for a table of the workspace: the body of a derived record of kind
// table_rows (docs/formats/table-rows.md). Pure; any thread.
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "workspace/rows.h"
#include "workspace/schema.h"

namespace picket::pipeline {

/// Of one record; whoever has more writes several.
inline constexpr std::size_t kTableRowsMax = 500;
inline constexpr std::size_t kTableRowsBytesMax = 256U << 10;

/// `common` and each of `rows` are JSON objects: values by column.
std::string table_rows_body(std::string_view table, std::string_view common, std::span<const std::string> rows);

struct TableRows {
  workspace::TableIndex table = 0;
  std::vector<std::vector<workspace::Cell>> rows;  ///< In the order of the table's columns.
};

/// `texts` get what cells point to, and outlive them. Errors: malformed "table_rows.…", unsupported
/// "table_rows.format", not_found "table_rows.table".
Result<TableRows> parse_table_rows(std::string_view body, const workspace::Schema& schema,
                                   std::deque<std::string>& texts);

}  // namespace picket::pipeline
