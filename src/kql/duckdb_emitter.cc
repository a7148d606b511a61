#include <algorithm>

#include "duckdb_writer.h"
#include "kql/compile.h"
#include "kql/schema.h"

namespace picket::kql {

namespace {

std::string column_name(ColumnId column) { return "c" + std::to_string(column); }

std::string quoted_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '\0') continue;  // no result column has it, and the engine's text ends at it
    out += c == '"' ? std::string("\"\"") : std::string(1, c);
  }
  return out + '"';
}

std::string_view sql_type(Type type) {
  switch (type) {
    case Type::boolean:
      return "BOOLEAN";
    case Type::int32:
      return "INTEGER";
    case Type::int64:
    case Type::timespan:
      return "BIGINT";
    case Type::real:
      return "DOUBLE";
    case Type::datetime:
      return "TIMESTAMP";
    case Type::guid:
      return "UUID";
    default:
      return "VARCHAR";
  }
}

/// The value that ranks below (or, for arg_min, above) all others stands in for null: it wins only if nothing else is
/// there.
std::string rank_value(Type type, const std::string& text, bool largest) {
  switch (type) {
    case Type::string:
      return text;
    case Type::boolean:
      return "coalesce(CAST(" + text + " AS TINYINT), " + (largest ? "-1" : "2") + ")";
    case Type::datetime:
      return "coalesce(" + text + ", CAST('" + (largest ? "-infinity" : "infinity") + "' AS TIMESTAMP))";
    case Type::decimal:  // its key: below and above all of them
      return "coalesce(" + text + ", '" + (largest ? "" : "~") + "')";
    case Type::real:
      return "coalesce(" + text + ", CAST('" + (largest ? "-Infinity" : "NaN") + "' AS DOUBLE))";
    default:
      return "coalesce(CAST(" + text + " AS BIGINT), " +
             (largest ? "-9223372036854775807 - 1" : "9223372036854775807") + ")";
  }
}

bool is_string(const std::vector<Join::Padded>& side, ColumnId column) {
  return std::ranges::any_of(side,
                             [&](const Join::Padded& one) { return one.from == column && one.type == Type::string; });
}

/// `distinct` without the work: for those who only ask whether there is such a row.
NodePtr repeated(const NodePtr& node) {
  const auto* distinct = std::get_if<Aggregate>(&node->op);
  if (distinct == nullptr || !distinct->measures.empty() || distinct->keys.empty()) return node;
  return std::make_shared<const Node>(Node{Extend{distinct->input, distinct->keys}});
}

class DuckdbEmitter final : public Emitter {
 public:
  [[nodiscard]] Checked<EmittedSql> emit(const Plan& plan, ComputedColumns computed) const override {
    return DuckdbWriter(computed).write(plan);
  }
};

}  // namespace

const Emitter& duckdb_emitter() {
  static const DuckdbEmitter emitter;
  return emitter;
}

Checked<EmittedSql> DuckdbWriter::write(const Plan& plan) {
  Needed needed;
  for (const auto& column : plan.columns) needed.insert(column.column);
  for (const auto& key : plan.order) needed.insert(key.column);
  const auto root = node(plan.root, needed);
  std::string select = "SELECT ";
  for (std::size_t i = 0; i < plan.columns.size(); ++i) {
    const auto& column = plan.columns[i];
    const auto cell = column_name(column.column);
    select += (i > 0 ? ", " : "") + (column.type == Type::decimal ? "kql_decimal_text(" + cell + ")" : cell) + " AS " +
              quoted_name(column.name);
  }
  // The order is applied once more here: no engine promises to keep that of a sub-query.
  select += " FROM " + root + order_by(plan.order);
  std::string text;
  for (std::size_t i = 0; i < tables_.size(); ++i) {
    text += (i > 0        ? ",\ns"
             : recursive_ ? "WITH RECURSIVE s"
                          : "WITH s") +
            std::to_string(i) + (materialized_.contains(i) ? " AS MATERIALIZED (" : " AS (") + tables_[i] + ")";
  }
  text += "\n" + select;
  if (too_large_ || text.size() > kSqlBytesMax) {
    return diagnose(code::kLimit, {0, 0}, "the query is too large once 'let' names are put in place");
  }
  EmittedSql out{std::move(text), std::move(binds_), std::move(asked_)};
  if (scanned_ && all_times_.from) out.time_from = Timestamp{*all_times_.from};
  if (scanned_ && all_times_.to) out.time_to = Timestamp{*all_times_.to};
  return out;
}

std::string DuckdbWriter::define(std::string select) {
  bytes_ += select.size();
  if (bytes_ > kSqlBytesMax) too_large_ = true;
  tables_.push_back(std::move(select));
  return "s" + std::to_string(tables_.size() - 1);
}

/// A SELECT must have a column; a count(*) above needs none.
std::string DuckdbWriter::list(const Needed& needed) {
  if (needed.empty()) return "1 AS none";
  std::string out;
  for (const auto column : needed) out += (out.empty() ? "" : ", ") + column_name(column);
  return out;
}

std::string DuckdbWriter::order_by(const Order& order) {
  std::string out;
  for (const auto& key : order) {
    out += (out.empty() ? " ORDER BY " : ", ") + column_name(key.column) + (key.descending ? " DESC" : " ASC") +
           (key.nulls_first ? " NULLS FIRST" : " NULLS LAST");
  }
  return out;
}

std::string DuckdbWriter::node(const NodePtr& node, const Needed& needed) {
  if (too_large_) return "s0";
  // What a filter says of its rows' times is so for the rows below it, as long as each of those is its own affair.
  const bool each_alone = std::holds_alternative<Scan>(node->op) || std::holds_alternative<Filter>(node->op) ||
                          std::holds_alternative<Extend>(node->op) || std::holds_alternative<Expand>(node->op) ||
                          std::holds_alternative<Union>(node->op);
  auto outer = times_;
  if (!each_alone) times_.clear();
  auto out = std::visit([&](const auto& op) { return this->node(op, needed); }, node->op);
  times_ = std::move(outer);
  return out;
}

std::string DuckdbWriter::node(const Rows& rows, const Needed& /*needed*/) {
  std::string names;
  for (const auto& [column, type] : rows.columns) names += (names.empty() ? "" : ", ") + column_name(column);
  if (rows.rows.empty()) {
    std::string columns;
    for (const auto& [column, type] : rows.columns) {
      columns += (columns.empty() ? "" : ", ") + std::string("CAST(NULL AS ") + std::string(sql_type(type)) + ") AS " +
                 column_name(column);
    }
    return define("SELECT " + columns + " WHERE FALSE");
  }
  std::string values;
  for (const auto& row : rows.rows) {
    values += values.empty() ? "(" : ", (";
    for (std::size_t i = 0; i < row.size(); ++i) values += (i > 0 ? ", " : "") + value(*row[i]);
    values += ")";
    if (values.size() > kSqlBytesMax) {
      too_large_ = true;
      break;
    }
  }
  return define("SELECT * FROM (VALUES " + values + ") AS v(" + names + ")");
}

std::string DuckdbWriter::node(const Range& range, const Needed& /*needed*/) {
  const auto first = value(*range.first);
  const auto last = value(*range.last);
  const auto step = value(*range.step);
  const auto column = column_name(range.column);
  if (range.type == Type::real) {  // by counting, so that the steps' errors do not add up
    return define("SELECT " + first + " + x * " + step + " AS " + column + " FROM generate_series(0, CASE WHEN " +
                  step + " = 0 THEN -1 ELSE CAST(floor((" + last + " - " + first + ") / " + step +
                  ") AS BIGINT) END) AS g(x)");
  }
  if (range.type == Type::datetime) {
    return define("SELECT make_timestamp(x) AS " + column + " FROM generate_series(epoch_us(" + first + "), epoch_us(" +
                  last + "), " + step + " // 10) AS g(x)");
  }
  return define("SELECT x AS " + column + " FROM generate_series(" + first + ", " + last + ", " + step + ") AS g(x)");
}

std::string DuckdbWriter::node(const Extend& extend, const Needed& needed) {
  auto below = needed;
  for (const auto& column : extend.columns) below.erase(column.column);
  auto columns = below.empty() ? std::string() : list(below);
  std::vector<const NamedExpr*> wanted;
  for (const auto& column : extend.columns) {
    if (!needed.contains(column.column)) continue;
    wanted.push_back(&column);
    collect(*column.expr, below);
  }
  const auto input = node(extend.input, below);
  if (wanted.empty()) return input;
  for (const auto* column : wanted) {
    columns += (columns.empty() ? "" : ", ") + value(*column->expr) + " AS " + column_name(column->column);
  }
  return define("SELECT " + columns + " FROM " + input);
}

std::string DuckdbWriter::node(const Take& take, const Needed& needed) {
  auto below = needed;
  for (const auto& key : take.order) below.insert(key.column);
  const auto input = node(take.input, below);
  return define("SELECT " + list(needed) + " FROM " + input + order_by(take.order) + " LIMIT " +
                std::to_string(take.count));
}

std::string DuckdbWriter::node(const Union& all, const Needed& needed) {
  std::string out;
  for (const auto& branch : all.branches) {
    Needed below;
    std::string columns;
    for (std::size_t i = 0; i < all.columns.size(); ++i) {
      if (needed.contains(all.columns[i].first)) collect(*branch.columns[i], below);
    }
    const KnownTimes above = std::exchange(times_, {});
    for (std::size_t i = 0; i < all.columns.size(); ++i) {
      const auto known = above.find(all.columns[i].first);
      if (known != above.end() && branch.columns[i]->kind == Expr::Kind::column)
        times_[branch.columns[i]->column] = known->second;
    }
    const auto input = node(branch.input, below);
    times_ = above;
    for (std::size_t i = 0; i < all.columns.size(); ++i) {
      if (!needed.contains(all.columns[i].first)) continue;
      columns += (columns.empty() ? "" : ", ") + value(*branch.columns[i]) + " AS " + column_name(all.columns[i].first);
    }
    if (columns.empty()) columns = "1 AS none";
    out += (out.empty() ? "" : " UNION ALL ") + std::string("SELECT ") + columns + " FROM " + input;
  }
  return define(std::move(out));
}

std::string DuckdbWriter::node(const Join& join, const Needed& needed) {
  Needed left_needed;
  Needed right_needed;
  std::string on;
  std::string left_keys;
  for (const auto& [left, right] : join.keys) {
    left_needed.insert(left);
    right_needed.insert(right);
    // A string is never null: equal is what engines join best by.
    on += (on.empty() ? "" : " AND ") + std::string("l.") + column_name(left) +
          (is_string(join.left_columns, left) || is_string(join.right_columns, right) ? " = r."
                                                                                      : " IS NOT DISTINCT FROM r.") +
          column_name(right);
    left_keys += (left_keys.empty() ? "" : ", ") + column_name(left);
  }
  std::string columns;
  const bool left_missing = join.kind == JoinKind::right_outer || join.kind == JoinKind::full_outer;
  const bool right_missing = join.kind == JoinKind::left_outer || join.kind == JoinKind::full_outer;
  const auto take_side = [&](const std::vector<Join::Padded>& side, char alias, Needed& below) {
    const bool missing = alias == 'l' ? left_missing : right_missing;
    for (const auto& column : side) {
      if (!needed.contains(column.column)) continue;
      below.insert(column.from);
      const auto from = std::string(1, alias) + "." + column_name(column.from);
      columns += (columns.empty() ? "" : ", ") +
                 (missing && column.type == Type::string ? "coalesce(" + from + ", '')" : from) + " AS " +
                 column_name(column.column);
    }
  };
  std::string matching;
  if (join.condition != nullptr) {
    Needed named;
    collect(*join.condition, named);
    const auto below = [&](const std::vector<Join::Padded>& side, Needed& side_needed) {
      for (const auto& column : side) {
        if (named.contains(column.from)) side_needed.insert(column.from);
      }
    };
    below(join.left_columns, left_needed);
    below(join.right_columns, right_needed);
    matching = condition(*join.condition);  // ids are unique in the plan: no alias is needed
    on += (on.empty() ? "" : " AND ") + matching;
  }
  if (on.empty()) on = "TRUE";
  take_side(join.left_columns, 'l', left_needed);
  take_side(join.right_columns, 'r', right_needed);
  if (columns.empty()) columns = "1 AS none";
  const bool asks_right = join.kind == JoinKind::left_anti || join.kind == JoinKind::left_semi;
  const bool asks_left = join.kind == JoinKind::right_anti || join.kind == JoinKind::right_semi;
  auto left = node(asks_left ? repeated(join.left) : join.left, left_needed);
  auto right = node(asks_right ? repeated(join.right) : join.right, right_needed);
  std::string_view word;
  switch (join.kind) {
    case JoinKind::inner_unique:
      left = "(SELECT DISTINCT ON (" + left_keys + ") * FROM " + left + ")";
      [[fallthrough]];
    case JoinKind::inner:
      word = " JOIN ";
      break;
    case JoinKind::left_outer:
      word = " LEFT JOIN ";
      break;
    case JoinKind::right_outer:
      word = " RIGHT JOIN ";
      break;
    case JoinKind::full_outer:
      word = " FULL JOIN ";
      break;
    case JoinKind::left_anti:
      word = " ANTI JOIN ";
      break;
    case JoinKind::left_semi:
      word = " SEMI JOIN ";
      break;
    case JoinKind::right_anti:
    case JoinKind::right_semi:
      return define("SELECT " + columns + " FROM " + right + " AS r" +
                    (join.kind == JoinKind::right_anti ? " ANTI JOIN " : " SEMI JOIN ") + left + " AS l ON " + on);
  }
  return define("SELECT " + columns + " FROM " + left + " AS l" + std::string(word) + right + " AS r ON " + on);
}

// --- aggregates

std::string DuckdbWriter::node(const Aggregate& aggregate, const Needed& needed) {
  Needed below;
  const auto wanted = [&](const Aggregate::Measure& one) {
    return std::ranges::any_of(one.columns, [&](const auto& column) { return needed.contains(column.first); });
  };
  for (const auto& key : aggregate.keys) collect(*key.expr, below);
  for (const auto& one : aggregate.measures) {
    if (!wanted(one)) continue;
    for (const auto& arg : one.args) collect(*arg, below);
    if (one.condition != nullptr) collect(*one.condition, below);
  }
  const bool ordered = std::ranges::any_of(aggregate.measures, [&](const auto& one) {
    return one.op.starts_with("make_") && one.op != "make_set" && wanted(one);
  });
  if (ordered) {
    for (const auto& key : aggregate.order) below.insert(key.column);
  }
  const auto input = node(aggregate.input, below);

  std::string columns;
  std::string groups;
  for (const auto& key : aggregate.keys) {
    columns += (columns.empty() ? "" : ", ") + value(*key.expr) + " AS " + column_name(key.column);
    groups += (groups.empty() ? " GROUP BY " : ", ") + column_name(key.column);
  }
  std::string unpacked;  // second step: the values of rows that were packed to stay together
  for (const auto& key : aggregate.keys) unpacked += (unpacked.empty() ? "" : ", ") + column_name(key.column);
  bool packed = false;
  for (const auto& one : aggregate.measures) {
    if (!wanted(one)) continue;
    const bool row = one.op == "arg_max" || one.op == "arg_min" || one.op == "take_any";
    const auto name = column_name(one.columns[0].first);
    if (const auto shared = percentiles_with(aggregate, one, needed); shared.size() > 1) {
      const auto list = "m" + column_name(shared.front()->columns[0].first);
      if (shared.front() == &one) columns += (columns.empty() ? "" : ", ") + percentile_list(shared) + " AS " + list;
      const auto place = std::ranges::find(shared, &one) - shared.begin() + 1;
      unpacked += (unpacked.empty() ? "" : ", ") + std::string("list_extract(") + list + ", " + std::to_string(place) +
                  ") AS " + name;
      packed = true;
      continue;
    }
    columns += (columns.empty() ? "" : ", ") + (row ? row_measure(one) : measure(one, aggregate.order)) + " AS " +
               (row ? "m" + name : name);
    packed = packed || row;
    for (const auto& [column, type] : one.columns) {
      auto text = column_name(column);
      if (row) {
        text = "struct_extract(m" + name + ", '" + column_name(column) + "')";
        if (type == Type::string) text = "coalesce(" + text + ", '')";
        text += " AS " + column_name(column);
      }
      unpacked += (unpacked.empty() ? "" : ", ") + text;
    }
  }
  if (columns.empty()) columns = "count(*) AS none";
  // Keys without measures are `distinct`: no key at all is one row, as every aggregate over everything.
  auto out = define("SELECT " + columns + " FROM " + input + groups);
  return packed ? define("SELECT " + unpacked + " FROM " + out) : out;
}

std::string DuckdbWriter::row_measure(const Aggregate::Measure& measure) {
  const bool ranked = measure.op != "take_any";
  std::string fields;
  for (std::size_t i = 0; i < measure.columns.size(); ++i) {
    fields += (fields.empty() ? "" : ", ") + column_name(measure.columns[i].first) +
              " := " + value(*measure.args[i + (ranked ? 1 : 0)]);
  }
  std::string out;
  if (ranked) {
    const bool largest = measure.op == "arg_max";
    out = std::string(measure.op) + "(struct_pack(" + fields + "), " +
          rank_value(measure.args[0]->type, value(*measure.args[0]), largest) + ")";
  } else {
    out = "any_value(struct_pack(" + fields + "))";
  }
  if (measure.condition != nullptr) out += " FILTER (WHERE " + condition(*measure.condition) + ")";
  return out;
}

std::vector<const Aggregate::Measure*> DuckdbWriter::percentiles_with(const Aggregate& aggregate,
                                                                      const Aggregate::Measure& measure,
                                                                      const Needed& needed) {
  std::vector<const Aggregate::Measure*> out;
  if (measure.op != "percentile") return out;
  for (const auto& other : aggregate.measures) {
    const bool same = other.op == "percentile" && other.args[0] == measure.args[0] &&
                      other.condition == measure.condition && needed.contains(other.columns[0].first);
    if (same) out.push_back(&other);
  }
  return out;
}

std::string DuckdbWriter::percentile_list(const std::vector<const Aggregate::Measure*>& measures) {
  std::string shares;
  for (const auto* one : measures) shares += (shares.empty() ? "" : ", ") + std::to_string(one->parameter / 100);
  const auto& first = *measures.front();
  auto call = "quantile_disc(" + value(*first.args[0]) + ", [" + shares + "])";
  if (first.condition != nullptr) call += " FILTER (WHERE " + condition(*first.condition) + ")";
  return call;
}

std::string DuckdbWriter::measure(const Aggregate::Measure& measure, const Order& order) {
  const auto filtered = [&](std::string call) {
    return measure.condition == nullptr ? call : call + " FILTER (WHERE " + condition(*measure.condition) + ")";
  };
  if (measure.op == "count") return filtered("count(*)");
  const auto& arg = *measure.args[0];
  const auto type = measure.columns[0].second;
  const auto text = value(arg);
  if (measure.op == "dcount") return filtered("count(DISTINCT " + text + ")");
  if (measure.op == "min" || measure.op == "max") {
    const auto call = filtered(std::string(measure.op) + "(" + text + ")");
    return type == Type::string ? "coalesce(" + call + ", '')" : call;
  }
  if (type == Type::decimal && (measure.op == "sum" || measure.op == "avg")) {
    const auto keys = "coalesce(" + filtered("string_agg(" + text + ", ',')") + ", '')";
    return "kql_decimal_" + std::string(measure.op == "sum" ? "sum(" : "average(") + keys + ")";
  }
  if (measure.op == "sum") {
    // DuckDB sums whole numbers into 128 bits; what does not fit 64 is an error, not a wrapped number.
    return type == Type::real ? "coalesce(" + filtered("sum(" + text + ")") + ", CAST(0 AS DOUBLE))"
                              : "CAST(coalesce(" + filtered("sum(" + text + ")") + ", 0) AS BIGINT)";
  }
  if (measure.op == "avg") {
    if (type == Type::timespan) return "CAST(trunc(" + filtered("avg(" + text + ")") + ") AS BIGINT)";
    if (type == Type::datetime)
      return "make_timestamp(CAST(trunc(" + filtered("avg(epoch_us(" + text + "))") + ") AS BIGINT))";
    return "coalesce(" + filtered("avg(" + text + ")") + ", CAST('NaN' AS DOUBLE))";
  }
  if (measure.op == "stdev") return "coalesce(" + filtered("stddev_samp(" + text + ")") + ", CAST(0 AS DOUBLE))";
  if (measure.op == "variance") return "coalesce(" + filtered("var_samp(" + text + ")") + ", CAST(0 AS DOUBLE))";
  if (measure.op == "percentile") {
    return filtered("quantile_disc(" + text + ", " + std::to_string(measure.parameter / 100) + ")");
  }
  if (measure.op == "stdevp") return "coalesce(" + filtered("stddev_pop(" + text + ")") + ", CAST(0 AS DOUBLE))";
  if (measure.op == "variancep") return "coalesce(" + filtered("var_pop(" + text + ")") + ", CAST(0 AS DOUBLE))";
  if (measure.op == "covariance" || measure.op == "covariancep") {
    const auto function = measure.op == "covariance" ? "covar_samp(" : "covar_pop(";
    return "coalesce(" + filtered(function + text + ", " + value(*measure.args[1]) + ")") + ", CAST(0 AS DOUBLE))";
  }
  if (measure.op == "binary_all_and") return filtered("bit_and(" + text + ")");
  if (measure.op == "binary_all_or") return filtered("bit_or(" + text + ")");
  if (measure.op == "binary_all_xor") return filtered("bit_xor(" + text + ")");
  if (measure.op == "series" || measure.op.starts_with("axis")) return series_measure(measure);
  if (measure.op == "percentiles_array" || measure.op.starts_with("make_")) return list_measure(measure, order);
  return family_measure(measure);
}

}  // namespace picket::kql
