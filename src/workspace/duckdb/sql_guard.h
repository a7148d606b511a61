// What a query may be: one SELECT over the workspace's relations, and no way out of them.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "duckdb/api.h"
#include "workspace/query.h"
#include "workspace/schema.h"

namespace picket::workspace {

/// Longest SQL text of a query.
inline constexpr std::size_t kSqlBytesMax = 1U << 20;

/// ASCII letters only, as DuckDB compares names.
std::string in_small_letters(std::string_view text);

/// What a statement reads.
struct SqlUse {
  std::set<std::string> relations;  ///< Of the schema.
  std::set<std::string> words;      ///< Every name and text in it, in small letters.
  bool all_columns = false;         ///< Something in it means columns that it does not name.

  /// False: no relation's column of this name is read.
  [[nodiscard]] bool mentions(std::string_view column) const;
};

/// Reads the syntax tree that DuckDB makes of a statement (json_serialize_sql), as JSON, and returns what it names of
/// `schema`. Refused (QueryError::invalid): a syntax error, anything but one SELECT, a table that is neither
/// in the schema nor a common table expression of the statement, a qualified table name, a table function other than
/// unnest, range, generate_series, and DESCRIBE/SHOW/SUMMARIZE as a table.
std::expected<SqlUse, QueryError> check_syntax_tree(std::string_view json, const Schema& schema);

/// Asks DuckDB for the tree and checks it.
std::expected<SqlUse, QueryError> check_sql(const Connection& connection, const std::string& sql, const Schema& schema);

}  // namespace picket::workspace
