// Claims: compile() ends for any bytes; every diagnostic's span lies inside the text and can be rendered; an accepted
// query compiles to the same SQL and values twice.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kql/compile.h"

namespace {

using namespace picket::kql;

const Schema& schema() {
  static const Schema out = [] {
    Schema made;
    made.tables.push_back(
        {.name = "T",
         .columns = {{"b", Type::boolean},
                     {"i", Type::int32},
                     {"l", Type::int64},
                     {"r", Type::real},
                     {"s", Type::string, "", false, {{"A", Type::string, "a", "ax"}, {"B", Type::int64, "b", ""}}},
                     {"t", Type::datetime},
                     {"ts", Type::timespan},
                     {"g", Type::guid},
                     {"d", Type::dynamic}},
         .time_column = "t"});
    return made;
  }();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Options options{.now = {1'795'255'200'000'000}};
  const auto first = compile(text, schema(), options);
  if (!first) {
    if (first.error().empty()) std::abort();
    for (const auto& diagnostic : first.error()) {
      if (diagnostic.span.start > size || diagnostic.span.length > size - diagnostic.span.start) std::abort();
      if (diagnostic.line == 0 || diagnostic.column == 0 || diagnostic.code.empty() || diagnostic.message.empty())
        std::abort();
      if (render(diagnostic, text).empty()) std::abort();
    }
    return 0;
  }
  const auto second = compile(text, schema(), options);
  if (!second || second->sql != first->sql || second->binds.size() != first->binds.size()) std::abort();
  if (first->columns.empty() || first->columns.size() != first->plan->columns.size()) std::abort();
  return 0;
}
