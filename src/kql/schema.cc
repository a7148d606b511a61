#include "kql/schema.h"

#include <algorithm>

namespace picket::kql {

std::string_view to_string(Type type) {
  switch (type) {
    case Type::boolean:
      return "bool";
    case Type::int32:
      return "int";
    case Type::int64:
      return "long";
    case Type::real:
      return "real";
    case Type::string:
      return "string";
    case Type::datetime:
      return "datetime";
    case Type::timespan:
      return "timespan";
    case Type::guid:
      return "guid";
    case Type::dynamic:
      return "dynamic";
    case Type::decimal:
      return "decimal";
  }
  return "?";
}

const StoredFunction* Schema::find_function(std::string_view name) const {
  const auto found = std::ranges::find(functions, name, &StoredFunction::name);
  return found == functions.end() ? nullptr : &*found;
}

const Table* Schema::find(std::string_view name) const {
  const auto found = std::ranges::find(tables, name, &Table::name);
  return found == tables.end() ? nullptr : &*found;
}

}  // namespace picket::kql
