// Reads queries, one JSON string a line; answers each with {"columns":["name:type",...]} or {"error":"code"}.
#include <iostream>
#include <string>

#include "base/core/json_writer.h"
#include "kql/compile.h"
#include "kql/native_functions.h"

int main() {
  using namespace picket;
  using namespace picket::kql;
  Schema schema;
  schema.tables.push_back({.name = "T",
                           .columns = {{"b", Type::boolean},
                                       {"i", Type::int32},
                                       {"l", Type::int64},
                                       {"r", Type::real},
                                       {"s", Type::string},
                                       {"t", Type::datetime},
                                       {"ts", Type::timespan},
                                       {"g", Type::guid},
                                       {"d", Type::dynamic},
                                       {"s2", Type::string}}});
  schema.tables.push_back({.name = "SecurityIoTRawEvent",
                           .columns = {{"TimeGenerated", Type::datetime},
                                       {"DeviceId", Type::string},
                                       {"RawEventName", Type::string},
                                       {"EventDetails", Type::string}}});
  for (std::string line; std::getline(std::cin, line);) {
    const auto compiled = compile(dynamic_text(line), schema, Options{.now = {1'795'255'200'000'000}});
    JsonWriter json;
    json.begin_object();
    if (compiled) {
      json.key("columns").begin_array();
      for (const auto& column : compiled->columns) json.value(column.name + ":" + std::string(to_string(column.type)));
      json.end_array();
    } else {
      json.key("error").value(compiled.error().front().code);
    }
    std::cout << json.end_object().text() << "\n";
  }
  return 0;
}
