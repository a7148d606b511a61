// Reads queries, one JSON string a line; answers each with {"columns":["name:type",...]} or {"error":"code"}.
//   kql_check TABLES                the tables a query may name: lines of Name(column:type, ...)
//   kql_check --cases FOLDER        prints the cases of a folder as {"file","name","query"}, for tools/kql/check.mjs
#include <iostream>
#include <string>

#include "base/core/json_writer.h"
#include "kql/compile.h"
#include "kql/native_functions.h"
#include "tests/case_file.h"

namespace {

using namespace picket;
using namespace picket::kql;

void print_cases(const char* folder) {
  for (const auto& one : kql::testing::read_cases(folder)) {
    JsonWriter json;
    json.begin_object().key("file").value(one.file).key("name").value(one.name).key("query").value(one.query);
    std::cout << json.end_object().text() << "\n";
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == "--cases") {
    print_cases(argv[2]);
    return 0;
  }
  if (argc != 2) {
    std::cerr << "usage: kql_check TABLES | kql_check --cases FOLDER\n";
    return 2;
  }
  auto schema = kql::testing::read_tables(argv[1]);
  schema.locations = true;
  const Options options{.now = {1'795'255'200'000'000}};
  // No engine is here: what depends on the data is refused by name.
  for (std::string line; std::getline(std::cin, line);) {
    const auto compiled = compile_all(dynamic_text(line), schema, options);
    JsonWriter json;
    json.begin_object();
    if (compiled) {
      json.key("columns").begin_array();
      for (const auto& column : compiled->back().columns) {
        json.value(column.name + ":" + std::string(to_string(column.type)));
      }
      json.end_array();
    } else {
      json.key("error").value(compiled.error().front().code);
      json.key("text").value(render(compiled.error().front(), dynamic_text(line)));
    }
    std::cout << json.end_object().text() << "\n";
  }
  return 0;
}
