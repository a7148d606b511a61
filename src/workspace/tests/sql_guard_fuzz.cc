// Claim: whatever the syntax tree, the relations that the guard lets through are those of the schema.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "duckdb/sql_guard.h"
#include "fixture.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const picket::workspace::Schema schema = picket::workspace::testing::small_schema();
  const std::string text(picket::as_text(std::as_bytes(std::span(data, size))));
  if (const auto used = picket::workspace::check_syntax_tree(text, schema)) {
    for (const std::string& name : used->relations) {
      if (schema.columns_of(name).empty()) std::abort();
    }
  }
  return 0;
}
