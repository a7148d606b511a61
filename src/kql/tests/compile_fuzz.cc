// Claims: compile_all() ends for any bytes; every diagnostic's span lies inside the text and can be rendered; an
// accepted request compiles to the same SQL and values twice; compile() takes it when it has one result; a text that
// check_function() takes can be called and then fails inside the call only.
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
         .time_column = "t",
         .ingestion_sql = "_ingested"});
    made.tables.push_back({.name = "U", .columns = {{"l", Type::int64}, {"s", Type::string}}});
    made.functions = {{"F", "(a:long = 1, b:string = 'x') { T | where l == a and s has b }"},
                      {"G", "(R:(l:long)) { R | summarize n = count() by l }"},
                      {"H", "(a:long) { a + 1 }"}};
    made.external = {{.name = "https://x/a.csv", .columns = {{"l", Type::int64}, {"s", Type::string}}}};
    made.database = "hub";
    made.locations = true;
    return made;
  }();
  return out;
}

Options options() {
  Options out{.now = {1'795'255'200'000'000}};
  out.parameters.emplace("p", Value{.type = Type::int64, .data = std::int64_t{5}});
  out.time_range = TimeRange{{1'795'000'000'000'000}, {1'795'255'200'000'000}};
  out.discover = [](const CompiledQuery&) { return std::vector<std::string>{"A", "B c", "l"}; };
  return out;
}

void check(const Diagnostics& found, std::string_view text) {
  if (found.empty()) std::abort();
  for (const auto& diagnostic : found) {
    if (diagnostic.span.start > text.size() || diagnostic.span.length > text.size() - diagnostic.span.start)
      std::abort();
    if (diagnostic.line == 0 || diagnostic.column == 0 || diagnostic.code.empty() || diagnostic.message.empty())
      std::abort();
    if (render(diagnostic, text).empty()) std::abort();
  }
}

void check_as_function(std::string_view text) {
  const auto checked = check_function(text);
  if (!checked) return check(checked.error(), text);
  Schema with = schema();
  with.functions.push_back({"Fuzzed", std::string(text)});
  constexpr std::string_view kCall = "Fuzzed()";
  const auto called = compile_all(kCall, with, options());
  if (!called) check(called.error(), kCall);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.starts_with('(')) check_as_function(text);
  const auto first = compile_all(text, schema(), options());
  if (!first) {
    check(first.error(), text);
    return 0;
  }
  const auto second = compile_all(text, schema(), options());
  if (first->empty() || first->size() > kResultsMax || !second || second->size() != first->size()) std::abort();
  for (std::size_t i = 0; i < first->size(); ++i) {
    const CompiledQuery& one = (*first)[i];
    if ((*second)[i].sql != one.sql || (*second)[i].binds.size() != one.binds.size()) std::abort();
    if (one.columns.empty() || one.columns.size() != one.plan->columns.size()) std::abort();
  }
  if (compile(text, schema(), options()).has_value() != (first->size() == 1)) std::abort();
  return 0;
}
