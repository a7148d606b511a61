// The steps of scan as a recursive table expression: one row for each input row and partition, which holds what the
// steps remember after it. Within a row the steps are looked at from the last to the first, one sub-select each.
#include <algorithm>

#include "duckdb_writer.h"

namespace picket::kql {

namespace {

std::string column_name(ColumnId column) { return "c" + std::to_string(column); }

/// Names of what a step has besides the columns that it remembers.
std::string active(std::size_t step) { return "on" + std::to_string(step); }
std::string match(std::size_t step) { return "id" + std::to_string(step); }
std::string onward(std::size_t step) { return "go" + std::to_string(step); }
std::string given(std::size_t step, std::size_t column) {
  return "g" + std::to_string(step) + "_" + std::to_string(column);
}

}  // namespace

/// The remembered columns that anything reads: in conditions, in values, or by way of the step after.
Needed DuckdbWriter::read_of_steps(const Steps& steps) {
  Needed out;
  for (const auto& step : steps.steps) {
    for (const auto* one : {&step.onward, &step.again}) {
      if (one->condition != nullptr) collect(*one->condition, out);
      for (const auto& value : one->values) collect(*value, out);
    }
  }
  for (std::size_t k = steps.steps.size(); k-- > 1;) {
    for (std::size_t j = 0; j < k; ++j) {
      for (std::size_t c = 0; c < steps.steps[k].kept[j].size(); ++c) {
        if (out.contains(steps.steps[k].kept[j][c].column)) out.insert(steps.steps[k - 1].kept[j][c].column);
      }
    }
  }
  return out;
}

/// One step's look at the row: whether it matches, then what all steps remember.
std::string DuckdbWriter::step_select(const Steps& steps, std::size_t k, const Needed& read, const std::string& from,
                                      const std::string& others) {
  const auto& step = steps.steps[k];
  const auto values = [&](const Steps::Try& one, const std::string& name) {
    std::string out;
    for (std::size_t c = 0; c < one.values.size(); ++c) {
      out += ", " + value(*one.values[c]) + " AS " + name + std::to_string(c);
    }
    return out;
  };
  const auto go = k == 0 ? std::string("FALSE") : active(k - 1) + " AND " + condition(*step.onward.condition);
  const auto tried = "(SELECT *, " + go + " AS go, " + (k == 0 ? "TRUE" : active(k)) + " AND " +
                     condition(*step.again.condition) + " AS re" + (k == 0 ? std::string() : values(step.onward, "o")) +
                     values(step.again, "a") + " FROM " + from + ") AS t" + std::to_string(k);
  std::string columns = others;
  const auto fresh = [&](std::size_t c) {
    const auto text = std::to_string(c);
    return k == 0 ? "a" + text : "CASE WHEN go THEN o" + text + " ELSE a" + text + " END";
  };
  for (std::size_t s = 0; s < steps.steps.size(); ++s) {
    std::string on = active(s);
    std::string id = match(s);
    if (s == k) {
      on = "(go OR re OR " + active(s) + ")";
      // A first step that matches again goes on with its sequence; only one that stood empty begins another.
      id = k == 0 ? "CASE WHEN re AND NOT " + active(0) + " THEN next_id ELSE " + id + " END"
                  : "CASE WHEN go THEN " + match(k - 1) + " ELSE " + id + " END";
    }
    if (s + 1 == k) on = "(" + on + " AND NOT go)";
    columns += ", " + on + " AS " + active(s) + ", " + id + " AS " + match(s);
    columns += s == k ? ", (go OR re) AS " + onward(s) : ", " + onward(s);
    for (std::size_t c = 0; c < steps.columns.size(); ++c) {
      columns += ", " + (s == k ? fresh(c) + " AS " : std::string()) + given(s, c);
    }
    for (std::size_t j = 0; j <= s; ++j) {
      for (std::size_t c = 0; c < steps.steps[s].kept[j].size(); ++c) {
        const auto& kept = steps.steps[s].kept[j][c];
        if (!read.contains(kept.column)) continue;
        const auto name = column_name(kept.column);
        if (s + 1 == k) {  // what the row took onward is forgotten here
          columns += ", CASE WHEN go THEN " + value(*kept.nothing) + " ELSE " + name + " END AS " + name;
        } else if (s != k) {
          columns += ", " + name;
        } else if (j < k) {
          const auto before = column_name(steps.steps[k - 1].kept[j][c].column);
          columns += ", CASE WHEN go THEN " + before + " ELSE " + name + " END AS " + name;
        } else {
          const std::size_t own = steps.passed.size();
          const auto now = c < own ? column_name(kept.from) : fresh(c - own);
          columns += ", CASE WHEN go OR re THEN " + now + " ELSE " + name + " END AS " + name;
        }
      }
    }
  }
  columns +=
      k == 0 ? ", CASE WHEN re AND NOT " + active(0) + " THEN next_id + 1 ELSE next_id END AS next_id" : ", next_id";
  return "(SELECT " + columns + " FROM " + tried + ") AS u" + std::to_string(k);
}

std::string DuckdbWriter::node(const Steps& steps, const Needed& /*needed*/) {
  const auto read = read_of_steps(steps);
  Needed below;
  for (const auto& column : steps.passed) below.insert(column.from);
  for (const auto& [id, from] : steps.parted) below.insert(from);
  below.insert(steps.ordinal);
  const auto input = node(steps.input, below);
  std::string parts;
  std::string same = "r.n = s.n + 1";
  for (const auto& [id, from] : steps.parted) {
    parts += ", " + column_name(from);
    same += " AND r." + column_name(from) + " IS NOT DISTINCT FROM s." + column_name(from);
  }
  const auto over = parts.empty() ? std::string() : "PARTITION BY " + parts.substr(2) + " ";
  const auto rows = define("SELECT " + list(below) + ", row_number() OVER (" + over + "ORDER BY " +
                           column_name(steps.ordinal) + ") AS n FROM " + input);
  // Before the first row nothing is remembered.
  std::string base = "CAST(0 AS BIGINT) AS n";
  std::string state = "s.n + 1 AS n";
  for (const auto& [id, from] : steps.parted) {
    base += ", " + column_name(from);
    state += ", s." + column_name(from);
  }
  std::string kept_names;
  for (std::size_t s = 0; s < steps.steps.size(); ++s) {
    base += ", FALSE AS " + active(s) + ", CAST(NULL AS BIGINT) AS " + match(s) + ", FALSE AS " + onward(s);
    kept_names += ", " + active(s) + ", " + match(s) + ", " + onward(s);
    for (std::size_t c = 0; c < steps.columns.size(); ++c) {
      base += ", " + value(*steps.steps[s].nothing(c, steps.columns.size())) + " AS " + given(s, c);
      kept_names += ", " + given(s, c);
    }
    for (const auto& row : steps.steps[s].kept) {
      for (const auto& kept : row) {
        if (!read.contains(kept.column)) continue;
        base += ", " + value(*kept.nothing) + " AS " + column_name(kept.column);
        kept_names += ", " + column_name(kept.column);
      }
    }
  }
  base += ", CAST(0 AS BIGINT) AS next_id";
  kept_names += ", next_id";
  std::string row_names;
  for (const auto column : below) {
    const auto parted = [&](const auto& one) { return one.second == column; };
    if (std::ranges::none_of(steps.parted, parted)) row_names += ", r." + column_name(column);
  }
  std::string from = "(SELECT " + state + row_names + kept_names + " FROM " + rows + " AS r JOIN " + next_table() +
                     " AS s ON " + same + ") AS u";
  std::string others = "n" + parts;
  for (const auto column : below) {
    const auto parted = [&](const auto& one) { return one.second == column; };
    if (std::ranges::none_of(steps.parted, parted)) others += ", " + column_name(column);
  }
  for (std::size_t k = steps.steps.size(); k-- > 0;) from = step_select(steps, k, read, from, others);
  recursive_ = true;
  const auto trace =
      define("SELECT " + base +
             (parts.empty() ? "" : " FROM (SELECT DISTINCT " + parts.substr(2) + " FROM " + rows + ") AS b") +
             " UNION ALL SELECT n" + parts + kept_names + " FROM " + from);
  std::string out;
  for (std::size_t s = 0; s < steps.steps.size(); ++s) {
    if (!steps.steps[s].shown) continue;
    std::string columns = "r." + column_name(steps.ordinal) + " AS " + column_name(steps.position);
    for (const auto& column : steps.passed) {
      columns += ", r." + column_name(column.from) + " AS " + column_name(column.column);
    }
    for (const auto& [id, column] : steps.parted) columns += ", r." + column_name(column) + " AS " + column_name(id);
    for (std::size_t c = 0; c < steps.columns.size(); ++c) {
      columns += ", s." + given(s, c) + " AS " + column_name(steps.columns[c].first);
    }
    if (steps.match_id) columns += ", s." + match(s) + " AS " + column_name(*steps.match_id);
    std::string on = "r.n = s.n";
    for (const auto& [id, column] : steps.parted) {
      on += " AND r." + column_name(column) + " IS NOT DISTINCT FROM s." + column_name(column);
    }
    out += (out.empty() ? "" : " UNION ALL ") + std::string("SELECT ") + columns + " FROM " + rows + " AS r JOIN " +
           trace + " AS s ON " + on + " WHERE s." + onward(s);
  }
  if (out.empty()) {
    std::string columns = "r." + column_name(steps.ordinal) + " AS " + column_name(steps.position);
    for (const auto& column : steps.passed)
      columns += ", r." + column_name(column.from) + " AS " + column_name(column.column);
    for (const auto& [id, column] : steps.parted) columns += ", r." + column_name(column) + " AS " + column_name(id);
    for (std::size_t c = 0; c < steps.columns.size(); ++c) {
      columns +=
          ", " + value(*steps.steps[0].nothing(c, steps.columns.size())) + " AS " + column_name(steps.columns[c].first);
    }
    if (steps.match_id) columns += ", CAST(0 AS BIGINT) AS " + column_name(*steps.match_id);
    out = "SELECT " + columns + " FROM " + rows + " AS r WHERE FALSE";
  }
  return define(std::move(out));
}

}  // namespace picket::kql
