// Nodes that make rows of values and values of rows: windows, expansion, lists, series.
#include <algorithm>

#include "duckdb_writer.h"

namespace picket::kql {

namespace {

std::string column_name(ColumnId column) { return "c" + std::to_string(column); }

}  // namespace

std::string DuckdbWriter::node(const Window& window, const Needed& needed) {
  if (!needed.contains(window.column)) return node(window.input, needed);
  if (window.op == "session") return sessions(window, needed);
  auto below = needed;
  below.erase(window.column);
  std::string columns = below.empty() ? std::string() : list(below) + ", ";
  for (const auto& arg : window.args) collect(*arg, below);
  for (const auto column : window.partition) below.insert(column);
  for (const auto& key : window.order) below.insert(key.column);
  const auto input = node(window.input, below);
  std::string over;
  for (const auto column : window.partition) over += (over.empty() ? "PARTITION BY " : ", ") + column_name(column);
  const auto order = order_by(window.order);
  over += order;
  const std::string so_far = " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";
  std::string text;
  if (window.op == "row_number" || window.op == "rank") {
    text = std::string(window.op) + "() OVER (" + over + ")";
  } else if (window.op == "lag" || window.op == "lead") {
    text = std::string(window.op) + "(" + value(*window.args[0]) + ", " + value(*window.args[1]) + ", " +
           value(*window.args[2]) + ") OVER (" + over + ")";
  } else if (window.op == "count_true") {
    text = "count(CASE WHEN " + condition(*window.args[0]) + " THEN 1 END) OVER (" + over + so_far + ")";
  } else if (window.op == "running_max") {
    text = "max(" + value(*window.args[0]) + ") OVER (" + over + so_far + ")";
  } else {
    const bool real = window.type == Type::real;
    text = "coalesce(sum(" + value(*window.args[0]) + ") OVER (" + over + so_far + "), 0)";
    if (!real) text = "CAST(" + text + " AS BIGINT)";
  }
  return define("SELECT " + columns + text + " AS " + column_name(window.column) + " FROM " + input);
}

/// unnest() of several lists in one SELECT puts them side by side and pads the shorter ones.
std::string DuckdbWriter::node(const Expand& expand, const Needed& needed) {
  auto below = needed;
  for (const auto& item : expand.items) below.erase(item.column);
  if (expand.index) below.erase(*expand.index);
  const auto kept = below.empty() ? std::string() : list(below) + ", ";
  for (const auto& item : expand.items) collect(*item.value, below);
  auto input = node(expand.input, below);
  // An array is taken apart where its text is read; what is none goes the long way round.
  std::map<ColumnId, std::string> direct;
  std::string elements;
  for (const auto& item : expand.items) {
    const auto list = path_elements(*item.value);
    if (!list) continue;
    direct.emplace(item.column, "d" + column_name(item.column));
    elements += ", " + *list + " AS d" + column_name(item.column);
  }
  if (!elements.empty()) input = define("SELECT " + list(below) + elements + " FROM " + input);
  std::string lists;
  std::string unnested;
  std::string longest;
  for (const auto& item : expand.items) {
    const auto source = value(*item.value);
    auto items =
        "json_extract(kql_bag_entries(" + source + ", " + (expand.bags_as_arrays ? "TRUE" : "FALSE") + "), '$[*]')";
    items = "CASE WHEN " + source + " IS NULL THEN [CAST(NULL AS JSON)] ELSE " + items + " END";
    if (const auto found = direct.find(item.column); found != direct.end())
      items = "CASE WHEN len(" + found->second + ") > 0 THEN " + found->second + " ELSE " + items + " END";
    if (expand.limit) items = "list_slice(" + items + ", 1, " + std::to_string(*expand.limit) + ")";
    const auto name = "l" + column_name(item.column);
    lists += (lists.empty() ? "" : ", ") + items + " AS " + name;
    // Only NULL there is a text of four letters: a JSON string has quotes.
    unnested += (unnested.empty() ? "" : ", ") + std::string("unnest(") + name + ") AS e" + column_name(item.column);
    longest += (longest.empty() ? "" : ", ") + std::string("len(") + name + ")";
  }
  const auto with_lists = define("SELECT " + kept + lists + " FROM " + input);
  if (expand.index) {
    unnested += ", unnest(range(CAST(greatest(" + longest + ") AS BIGINT))) AS " + column_name(*expand.index);
  }
  const auto rows = define("SELECT " + kept + unnested + " FROM " + with_lists);
  std::string columns = kept;
  for (const auto& item : expand.items) {
    columns +=
        "nullif(CAST(e" + column_name(item.column) + " AS VARCHAR), 'null') AS " + column_name(item.column) + ", ";
  }
  if (expand.index) columns += column_name(*expand.index) + ", ";
  columns.resize(columns.size() - 2);
  return define("SELECT " + columns + " FROM " + rows);
}

std::string DuckdbWriter::list_measure(const Aggregate::Measure& measure, const Order& order) {
  const auto& arg = *measure.args[0];
  const auto text = value(arg);
  const auto condition_text = measure.condition == nullptr ? std::string() : condition(*measure.condition);
  if (measure.op == "percentiles_array") {
    std::string out = "concat('['";
    for (std::size_t i = 0; i < measure.parameters.size(); ++i) {
      const auto one = "quantile_disc(" + text + ", " + std::to_string(measure.parameters[i] / 100) + ")";
      out += (i > 0 ? ", ',', " : ", ") + std::string("coalesce(") + json_text(arg.type, one) + ", 'null')";
    }
    return out + ", ']')";
  }
  const auto joined = [](const std::string& items) {
    return "concat('[', coalesce(array_to_string(" + items + ", ','), ''), ']')";
  };
  if (measure.op == "make_list_with_nulls") {
    return joined("list(coalesce(" + json_text(arg.type, text) + ", 'null')" + order_by(order) + ")");
  }
  const bool set = measure.op == "make_set";
  // Sets are sorted: the language promises no order, people and tests like one.
  const auto sorted = set ? " ORDER BY " + text : order_by(order);
  // What is null is left out; in a set of dynamic values, arrays give their elements.
  auto items = "list(" + std::string(set ? "DISTINCT " : "") + text + sorted + ") FILTER (WHERE " + text +
               " IS NOT NULL" + (condition_text.empty() ? "" : " AND " + condition_text) + ")";
  const auto limit = std::to_string(static_cast<std::int64_t>(measure.parameter));
  if (set && arg.type == Type::dynamic) {
    return "kql_flat_set(" + joined(items) + ", " + limit + ")";
  }
  items = "list_transform(list_slice(" + items + ", 1, " + limit + "), lambda x: " + json_text(arg.type, "x") + ")";
  return measure.op == "make_bag" ? "kql_make_bag(" + joined(items) + ")" : joined(items);
}

/// Bins and values of one key, in no order: the native functions put them where they belong.
std::string DuckdbWriter::series_measure(const Aggregate::Measure& measure) {
  const auto bin = value(*measure.args[0]);
  const bool axis = measure.op != "series";
  const auto& first_arg = *measure.args[axis ? 1 : 2];
  const auto& last_arg = *measure.args[axis ? 2 : 3];
  const auto null = [](const Expr& expr) { return expr.kind == Expr::Kind::literal && expr.value.is_null(); };
  const auto first = null(first_arg) ? "min(" + bin + ")" : value(first_arg);
  const auto last = null(last_arg) ? "max(" + bin + ")" : value(last_arg);
  if (axis) {
    return "kql_" + std::string(measure.op) + "(" + first + ", " + last + ", " + value(*measure.args[3]) + ", " +
           value(*measure.args[4]) + ")";
  }
  const auto all = [](const std::string& text) {
    return "concat('[', coalesce(string_agg(" + text + ", ','), ''), ']')";
  };
  return "kql_spread(" + all("CAST(" + bin + " AS VARCHAR)") + ", " + all(value(*measure.args[1])) + ", " + first +
         ", " + last + ", " + value(*measure.args[4]) + ")";
}

}  // namespace picket::kql
