// Nodes and aggregates of the families: sessions of rows, weighted percentiles, sketches.
#include "duckdb_writer.h"

namespace picket::kql {

namespace {

std::string column_name(ColumnId column) { return "c" + std::to_string(column); }

}  // namespace

/// A session depends on the one before it, so the rows of a part are one list in their order, go through a native
/// function, and are rows again.
std::string DuckdbWriter::sessions(const Window& window, const Needed& needed) {
  auto below = needed;
  below.erase(window.column);
  const auto kept = below;
  for (const auto& arg : window.args) collect(*arg, below);
  for (const auto column : window.partition) below.insert(column);
  for (const auto& key : window.order) below.insert(key.column);
  const auto input = node(window.input, below);
  std::string fields;
  std::string columns;
  for (const auto column : kept) {
    const auto name = column_name(column);
    fields += (fields.empty() ? "" : ", ") + name + " := " + name;
    columns += "e." + name + ", ";
  }
  if (fields.empty()) fields = "nothing := 1";
  std::string groups;
  for (const auto column : window.partition) groups += (groups.empty() ? " GROUP BY " : ", ") + column_name(column);
  const auto order = order_by(window.order);
  const auto restart = window.args.size() > 3 ? condition(*window.args[3]) : std::string("FALSE");
  const auto starts = "kql_session_starts(string_agg(coalesce(CAST(epoch_us(" + value(*window.args[0]) +
                      ") AS VARCHAR), ''), ','" + order + "), string_agg(CASE WHEN " + restart +
                      " THEN '1' ELSE '0' END, ''" + order + "), " + value(*window.args[1]) + ", " +
                      value(*window.args[2]) + ")";
  const auto rows = define("SELECT unnest(list(struct_pack(" + fields + ")" + order + ")) AS e, unnest(string_split(" +
                           starts + ", ',')) AS v FROM " + input + groups);
  return define("SELECT " + columns + "make_timestamp(TRY_CAST(v AS BIGINT)) AS " + column_name(window.column) +
                " FROM " + rows);
}

std::string DuckdbWriter::family_measure(const Aggregate::Measure& measure) {
  const auto text = value(*measure.args[0]);
  auto where = text + " IS NOT NULL";
  if (measure.condition != nullptr) where += " AND " + condition(*measure.condition);
  const auto filter = [&](const std::string& more) { return " FILTER (WHERE " + where + more + ")"; };
  if (measure.op == "percentile_weighted" || measure.op == "percentiles_weighted_array") {
    const auto weight = value(*measure.args[1]);
    const auto kept = filter(" AND " + weight + " > 0");
    const auto weights = "string_agg(CAST(" + weight + " AS VARCHAR), ',' ORDER BY " + text + ")" + kept;
    const auto values = "list(" + text + " ORDER BY " + text + ")" + kept;
    const auto one = [&](double share) {
      return "list_extract(" + values + ", kql_weighted_index(" + weights + ", CAST(" + std::to_string(share) +
             " AS DOUBLE)))";
    };
    if (measure.op == "percentile_weighted") return one(measure.parameter);
    std::string out = "concat('['";
    for (std::size_t i = 0; i < measure.parameters.size(); ++i) {
      out += (i > 0 ? ", ',', " : ", ") + std::string("coalesce(") +
             json_text(measure.args[0]->type, one(measure.parameters[i])) + ", 'null')";
    }
    return out + ", ']')";
  }
  if (measure.op == "hll") {
    const auto accuracy = measure.parameter > 4 ? 1 : static_cast<int>(measure.parameter);
    return "kql_hll_make(coalesce(string_agg(DISTINCT CAST(kql_xxhash_text(CAST(" + text +
           " AS VARCHAR)) AS VARCHAR), ',')" + filter("") + ", ''), CAST(" + std::to_string(accuracy) + " AS BIGINT))";
  }
  if (measure.op == "tdigest") {
    const auto weight = measure.args.size() > 1 ? value(*measure.args[1]) : std::string("CAST(1 AS BIGINT)");
    const auto all = [&](const std::string& what) {
      return "coalesce(string_agg(CAST(" + what + " AS VARCHAR), ',' ORDER BY " + text + ")" +
             filter(" AND " + weight + " > 0") + ", '')";
    };
    return "kql_tdigest_make(" + all(text) + ", " + all(weight) + ")";
  }
  if (measure.op == "hll_merge" || measure.op == "tdigest_merge") {
    return "kql_" + std::string(measure.op) + "(concat('[', coalesce(string_agg(" + text + ", ',')" + filter("") +
           ", ''), ']'))";
  }
  return "error('unknown aggregate')";
}

}  // namespace picket::kql
