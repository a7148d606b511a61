// What each op of the plan is in DuckDB's SQL.
#pragma once

#include <span>
#include <string_view>

namespace picket::kql {

/// {0}, {1}, ... stand for the arguments, {*} for all of them with commas, {1*} for all from the second on. Each
/// argument arrives as a complete operand. A string result is never NULL.
struct SqlTemplate {
  std::string_view op;
  std::string_view sql;
};

/// nullptr: the op is written by code in duckdb_expression.cc, or does not exist.
const SqlTemplate* find_template(std::string_view op);
std::span<const SqlTemplate> sql_templates();
std::span<const SqlTemplate> family_templates();  ///< The second table.

}  // namespace picket::kql
