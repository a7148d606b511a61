// A compiled query as the workspace takes it.
#pragma once

#include "kql/compile.h"
#include "workspace/query.h"

namespace picket::api {

inline workspace::Cell cell_of(const kql::Value& value) {
  using workspace::Cell;
  if (value.is_null()) return Cell::null();
  if (const auto* text = std::get_if<std::string>(&value.data)) return Cell::text(*text);
  if (const auto* truth = std::get_if<bool>(&value.data)) return Cell::boolean(*truth);
  if (const auto* real = std::get_if<double>(&value.data)) return Cell::real(*real);
  const auto number = std::get<std::int64_t>(value.data);
  return value.type == kql::Type::datetime ? Cell::timestamp({number}) : Cell::integer(number);
}

/// With the default limits. `compiled` outlives the request; its tables are those of make_query_schema(). It may have
/// been compiled with ComputedColumns::allowed.
inline workspace::QueryRequest request_of(const kql::CompiledQuery& compiled) {
  workspace::QueryRequest out{.sql = compiled.sql, .time_from = compiled.time_from, .time_to = compiled.time_to};
  for (const kql::Value& value : compiled.binds) out.binds.push_back(cell_of(value));
  for (const kql::ComputedColumn& column : compiled.computed) {
    std::string table;  // the relation is a quoted name of letters
    for (const char c : column.relation) {
      if (c != '"') table += c;
    }
    out.computed.push_back(
        {std::move(table), column.name, column.sql, column.sql_if_clear, column.mask.column, column.mask.bits});
  }
  return out;
}

}  // namespace picket::api
