// basket(): rows are counted by each set of columns. A set's rows may agree in more columns than it names: those belong
// to it, and sets that thereby are the same are one.
#include <cstdint>

#include "duckdb_writer.h"

namespace picket::kql {

namespace {

std::string column_name(ColumnId column) { return "c" + std::to_string(column); }

/// (a), (b), (a, b), ...: all sets of 1 to `most` names.
void append_sets(const std::vector<std::string>& names, std::size_t first, std::size_t most, const std::string& begun,
                 std::string& out) {
  for (std::size_t i = first; i < names.size() && most > 0; ++i) {
    const auto set = begun.empty() ? names[i] : begun + ", " + names[i];
    out += (out.empty() ? "(" : ", (") + set + ")";
    append_sets(names, i + 1, most - 1, set, out);
  }
}

}  // namespace

std::string DuckdbWriter::node(const Basket& basket, const Needed& /*needed*/) {
  Needed below;
  for (const auto& one : basket.dimensions) below.insert(one.from);
  const auto input = node(basket.input, below);
  const auto rows = define_once("SELECT " + list(below) + " FROM " + input);
  const auto share = std::to_string(basket.threshold);
  const auto enough = " >= " + share + " * (SELECT count(*) FROM " + rows + ")";
  // A value that alone is not frequent is frequent nowhere; a missing one is none.
  std::vector<std::string> names;
  std::string kept;
  std::string asked;
  std::string agreed;
  std::string order;
  for (const auto& one : basket.dimensions) {
    const auto name = column_name(one.from);
    names.push_back(name);
    const auto frequent = "SELECT " + name + " FROM " + rows + " WHERE " + name +
                          (one.type == Type::string ? " <> ''" : " IS NOT NULL") + " GROUP BY " + name +
                          " HAVING count(*)" + enough;
    kept += (kept.empty() ? "" : ", ") + std::string("CASE WHEN ") + name + " IN (" + frequent + ") THEN " + name +
            " END AS " + name;
    asked += " AND (grouping(" + name + ") = 1 OR " + name + " IS NOT NULL)";
    agreed += ", CASE WHEN count(v" + name + ") = count(*) AND min(v" + name + ") = max(v" + name + ") THEN min(v" +
              name + ") END AS p" + name;
    order += ", p" + name;
  }
  const auto pruned = define("SELECT " + kept + " FROM " + rows);
  const auto all = list(below);
  std::string values;
  for (const auto& name : names) values += ", " + name + " AS v" + name;
  const auto tuples =
      define_once("SELECT " + all + values + ", count(*) AS weight FROM " + pruned + " GROUP BY " + all);
  std::string sets;
  append_sets(names, 0, basket.most, "", sets);
  const auto found = define("SELECT DISTINCT CAST(sum(weight) AS BIGINT) AS n" + agreed + " FROM " + tuples +
                            " GROUP BY GROUPING SETS (" + sets + ") HAVING sum(weight)" + enough + asked);
  std::string columns = "row_number() OVER (ORDER BY n DESC" + order + ") - 1 AS " + column_name(basket.segment) +
                        ", n AS " + column_name(basket.count) + ", round(100.0 * n / (SELECT count(*) FROM " + rows +
                        "), 1) AS " + column_name(basket.percent);
  for (const auto& one : basket.dimensions) {
    columns += ", coalesce(p" + column_name(one.from) + ", " + value(*one.wildcard) + ") AS " + column_name(one.column);
  }
  return define("SELECT " + columns + " FROM " + found);
}

}  // namespace picket::kql
