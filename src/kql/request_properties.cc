#include "request_properties.h"

#include <algorithm>
#include <limits>

#include "kql/native_functions.h"
#include "kql/request_properties.h"
#include "lexer.h"
#include "lexer.h"
#include "parser.h"

namespace picket::kql {
namespace {

constexpr Timestamp kFirst{std::numeric_limits<std::int64_t>::min()};
constexpr Timestamp kLast{std::numeric_limits<std::int64_t>::max()};

/// The text within datetime(...), long(...) and their like.
std::string_view bare(std::string_view text) {
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')') || !type_of_name(text.substr(0, open))) return text;
  return text.substr(open + 1, text.size() - open - 2);
}

Checked<Timestamp> time_of(const ast::Property& property) {
  const auto time = parse_datetime(bare(property.value));
  if (time) return Timestamp{*time};
  return diagnose(code::kArguments, property.span, "the property " + property.name + " is no datetime");
}

bool is_on(const ast::Property& property) { return property.value.empty() || parse_bool(bare(property.value)) == true; }

Checked<> apply(const ast::Property& property, const Schema& schema, Applied& out) {
  const std::string& name = property.name;
  if (name == "query_now") {
    TRY(out.options.now, time_of(property));
  } else if (name == "query_datetimescope_from" || name == "query_datetimescope_to") {
    TRY(const Timestamp at, time_of(property));
    TimeRange range = out.options.time_range.value_or(TimeRange{kFirst, kLast});
    if (name.ends_with("from")) range.from = std::max(range.from, at);
    if (name.ends_with("to")) range.to = std::min(range.to, at);
    out.options.time_range = range;
  } else if (name == "query_datetimescope_column") {
    const bool known =
        std::ranges::any_of(schema.tables, [&](const Table& t) { return t.time_column == property.value; });
    if (!known && !property.value.empty())
      return diagnose(code::kUnsupported, property.span, "a time scope of another column than the tables' own");
  } else if (name == "query_take_max_records") {
    const auto rows = parse_long(bare(property.value));
    if (!rows || *rows < 0)
      return diagnose(code::kArguments, property.span, "the property " + name + " is no number of rows");
    if (*rows > 0) out.rows_max = *rows;
  } else if (name == "query_language") {
    if (property.value != "csl" && property.value != "kql" && !property.value.empty())
      return diagnose(code::kUnsupported, property.span,
                      "the query language '" + property.value + "' is not supported");
  } else if (name == "query_results_apply_getschema" || name == "query_cursor_after_default" ||
             name == "query_cursor_before_or_at_default") {
    const bool off = name.starts_with("query_cursor") ? property.value.empty() : !is_on(property);
    if (!off) return diagnose(code::kUnsupported, property.span, "the request property " + name + " is not supported");
  }
  return {};
}

}  // namespace

Checked<Applied> apply_properties(const ast::Query& query, const Schema& schema, const Options& options) {
  Applied out{.options = options};
  for (const RequestProperty& property : options.properties)
    TRY_VOID(apply({property.name, property.value, {0, 0}}, schema, out));
  for (const ast::Property& property : query.properties) TRY_VOID(apply(property, schema, out));
  return out;
}

std::vector<RequestProperty> set_statements(std::string_view text) {
  std::vector<RequestProperty> out;
  if (text.find("set") == std::string_view::npos) return out;
  auto query = parse(text);
  if (!query) return out;
  for (ast::Property& property : query->properties)
    out.push_back({std::move(property.name), std::move(property.value)});
  return out;
}

}  // namespace picket::kql
