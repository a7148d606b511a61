#include "duckdb/part_select.h"

#include <algorithm>

#include <fmt/format.h>

#include "duckdb/api.h"
#include "duckdb/hot_vector.h"

namespace picket::workspace {

TableRead table_read(const TableLayout& layout, const SqlUse& use, std::span<const ComputedColumn> computed) {
  TableRead out{layout, {}, {}};
  for (const Column& column : layout.columns) {
    if (use.mentions(column.name)) out.columns.push_back(&column);
  }
  for (const ComputedColumn& column : computed) {
    if (column.table == layout.name) out.computed.push_back(&column);
  }
  if (out.columns.empty()) out.columns.push_back(&layout.columns.front());  // rows that are only counted
  return out;
}

std::string select_part(const TableRead& read, const std::string& from, const std::set<std::string>& there,
                        const BitsClear& clear) {
  const auto null = [](const Column& column) {
    return fmt::format("CAST(NULL AS {}) AS {}", sql_type_of(column.type), quote_identifier(column.name));
  };
  std::string list;
  for (const Column* column : read.columns) {
    list += list.empty() ? "" : ", ";
    list += there.contains(column->name) ? quote_identifier(column->name) : null(*column);
  }
  std::string source = from;
  if (!read.computed.empty()) {
    std::string missing;  // a computed column may name any column of the table
    for (const Column& column : read.layout.columns) {
      if (!there.contains(column.name)) missing += ", " + null(column);
    }
    if (!missing.empty()) {
      source = fmt::format("(SELECT *{} FROM {})", missing, from);
      list.clear();
      for (const Column* column : read.columns) list += (list.empty() ? "" : ", ") + quote_identifier(column->name);
    }
  }
  for (const ComputedColumn* column : read.computed) {
    list += fmt::format(", ({}) AS {}", clear(*column) ? column->sql_if_clear : column->sql,
                        quote_identifier(column->name));
  }
  return fmt::format("SELECT {} FROM {}", list, source);
}

std::string probe_of(std::span<const ComputedColumn> computed) {
  std::string out;
  for (const ComputedColumn& column : computed) {
    out += fmt::format("{}SELECT ({}), ({}) FROM {}", out.empty() ? "" : " UNION ALL ", column.sql, column.sql_if_clear,
                       quote_identifier(column.table));
  }
  return out;
}

}  // namespace picket::workspace
