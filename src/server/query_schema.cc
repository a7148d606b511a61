#include "query_schema.h"

#include <algorithm>

namespace picket::server {
namespace {

kql::Type type_of(workspace::ColumnType type) {
  switch (type) {
    case workspace::ColumnType::boolean:
      return kql::Type::boolean;
    case workspace::ColumnType::int32:
      return kql::Type::int32;
    case workspace::ColumnType::int64:
      return kql::Type::int64;
    case workspace::ColumnType::real:
      return kql::Type::real;
    case workspace::ColumnType::text:
      return kql::Type::string;
    case workspace::ColumnType::timestamp:
      return kql::Type::datetime;
    case workspace::ColumnType::json:
      return kql::Type::dynamic;
  }
  return kql::Type::string;
}

}  // namespace

kql::Schema make_query_schema(const workspace::Schema& schema) {
  kql::Schema out;
  for (const std::string& relation : schema.relations()) {
    kql::Table table{.name = relation};
    for (const workspace::Column& column : schema.columns_of(relation)) {
      if (column.visibility != workspace::Visibility::shown) continue;
      table.columns.push_back({.name = column.name, .type = type_of(column.type)});
    }
    const auto has_time =
        std::ranges::any_of(table.columns, [](const kql::Column& column) { return column.name == "TimeGenerated"; });
    if (has_time) table.time_column = "TimeGenerated";
    out.tables.push_back(std::move(table));
  }
  return out;
}

}  // namespace picket::server
