// top-nested and top-hitters.
#include <algorithm>

#include "binder_state.h"
#include "expr.h"

namespace picket::kql {

/// Level by level: the measure of each value below the values kept so far, ranked apart for each of these.
Checked<> Binder::apply(Relation& relation, const ast::TopNested& op, Span span) {
  if (refused_apart(relation)) return diagnose(code::kUnsupported, span, "'top-nested' inside of a sub-query");
  const Scope input = relation.columns;
  const NodePtr source = relation.node;
  struct Level {
    ExprPtr key;
    ScopeColumn key_column, measure;
  };
  std::vector<Level> kept;
  NodePtr tops;
  Scope out;
  for (const auto& level : op.levels) {
    if (level.others != nullptr && op.levels.size() > 1) {
      return diagnose(code::kUnsupported, level.others->span, "'with others' of several levels of 'top-nested'");
    }
    std::optional<std::int64_t> count;
    if (level.count != nullptr) {
      TRY(count, row_count(*level.count));
    }
    TRY(auto key, bind_in(input, *level.key.value));
    if (key->type == Type::dynamic) {
      return diagnose(code::kType, level.key.value->span, "rows cannot be grouped by a dynamic value; convert it");
    }
    auto name = level.key.names.empty() ? implicit_name(*level.key.value) : level.key.names[0].text;
    if (name.empty()) return diagnose(code::kArguments, level.key.value->span, "give this expression a name");
    Aggregate aggregate{source, {}, {}, {}};
    Scope keys;
    for (const auto& above : kept) aggregate.keys.push_back({new_column(), above.key});
    const auto id = new_column();
    aggregate.keys.push_back({id, key});
    Measures measures{.found = {}, .input = &input};
    Scope measured;
    std::vector<NamedExpr> computed;
    ast::Assignment unnamed;
    auto done = bind_measure(measures, level.measure, measured, computed, keys);
    measures_ = nullptr;
    scope_ = nullptr;
    if (!done) return done;
    if (measured.size() != 1 || measured[0].type == Type::dynamic) {
      return diagnose(code::kType, level.measure.value->span, "one aggregate that has an order is expected");
    }
    const auto above_keys = aggregate.keys;
    aggregate.measures = std::move(measures.found);
    Relation ranked;
    TRY(ranked.node, make_node(std::move(aggregate), span));
    if (!computed.empty()) {
      TRY(ranked.node, make_node(Extend{std::move(ranked.node), std::move(computed)}, span));
    }
    ScopeColumn key_column{name, key->type, id, key->nullable};
    ScopeColumn measure = measured[0];
    measure.name = level.measure.names.empty() ? "aggregated_" + name : level.measure.names[0].text;
    if (tops != nullptr) {
      // Only below what the levels above kept, whose columns come along.
      Join join{.left = tops, .right = ranked.node, .kind = JoinKind::inner};
      for (std::size_t i = 0; i < kept.size(); ++i) {
        join.keys.emplace_back(kept[i].key_column.id, above_keys[i].column);
      }
      const auto carry = [&](ScopeColumn& column, std::vector<Join::Padded>& side) {
        const auto padded = new_column();
        side.push_back({padded, column.id, column.type});
        column.id = padded;
      };
      for (auto& above : kept) {
        carry(above.key_column, join.left_columns);
        carry(above.measure, join.left_columns);
      }
      carry(key_column, join.right_columns);
      carry(measure, join.right_columns);
      TRY(ranked.node, make_node(std::move(join), span));
    }
    if (count) {
      Window window{.op = "row_number"};
      for (const auto& above : kept) window.partition.push_back(above.key_column.id);
      window.order = {{measure.id, level.descending, !level.descending}};
      TRY(auto number, add_window(ranked, std::move(window), Type::int64, false, span));
      auto first = strict_call("le", Type::boolean, {std::move(number), literal({Type::int64, *count})});
      TRY(ranked.node, make_node(Filter{std::move(ranked.node), std::move(first)}, span));
    }
    tops = ranked.node;
    kept.push_back({std::move(key), std::move(key_column), std::move(measure)});
  }
  if (const auto& first = op.levels.front(); first.others != nullptr) {
    // The rows that made it to no top are one group, whose key is the constant.
    const Scope nothing;
    TRY(auto name, bind_in(nothing, *first.others));
    auto& [key, key_column, measure] = kept.front();
    if (name->type != key->type || !is_literal(name)) {
      return diagnose(code::kType, first.others->span, "a constant of the type of what is counted is expected");
    }
    const auto key_id = new_column();
    Join join{.right = tops, .kind = JoinKind::left_anti, .keys = {{key_id, key_column.id}}};
    TRY(join.left, make_node(Extend{source, {{key_id, key}}}, span));
    Scope rest = input;
    for (auto& column : rest) {
      join.left_columns.push_back({new_column(), column.id, column.type});
      column.id = join.left_columns.back().column;
    }
    Aggregate aggregate{{}, {}, {}, {}};
    TRY(aggregate.input, make_node(std::move(join), span));
    Measures measures{.found = {}, .input = &rest};
    Scope measured;
    std::vector<NamedExpr> computed;
    auto done = bind_measure(measures, first.measure, measured, computed, nothing);
    measures_ = nullptr;
    scope_ = nullptr;
    if (!done) return done;
    const auto rows = new_column();
    aggregate.measures = std::move(measures.found);
    aggregate.measures.push_back({.columns = {{rows, Type::int64}}, .op = "count"});
    NodePtr others;
    TRY(others, make_node(std::move(aggregate), span));
    if (!computed.empty()) {
      TRY(others, make_node(Extend{std::move(others), std::move(computed)}, span));
    }
    auto any = strict_call("gt", Type::boolean,
                           {column_ref(rows, Type::int64, false), literal({Type::int64, std::int64_t{0}})});
    TRY(others, make_node(Filter{std::move(others), std::move(any)}, span));
    Union both;
    const auto refer = [](const ScopeColumn& column) { return column_ref(column.id, column.type, column.nullable); };
    both.branches.push_back({tops, {refer(key_column), refer(measure)}});
    both.branches.push_back({std::move(others), {std::move(name), refer(measured[0])}});
    key_column.id = new_column();
    measure.id = new_column();
    both.columns = {{key_column.id, key_column.type}, {measure.id, measure.type}};
    TRY(tops, make_node(std::move(both), span));
  }
  for (auto& level : kept) {
    TRY_VOID(add_column(out, std::move(level.key_column), span));
    TRY_VOID(add_column(out, std::move(level.measure), span));
  }
  relation = Relation{.node = std::move(tops), .columns = std::move(out)};
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::TopHitters& op, Span span) {
  if (refused_apart(relation)) return diagnose(code::kUnsupported, span, "'top-hitters' inside of a sub-query");
  TRY(const auto rows, row_count(*op.count));
  TRY(auto value, bind_in(relation.columns, *op.value));
  if (value->type == Type::dynamic) return diagnose(code::kType, op.value->span, "a dynamic value cannot be counted");
  auto name = implicit_name(*op.value);
  if (name.empty()) name = "Column1";
  Aggregate aggregate{std::move(relation.node), {}, {}, {}};
  const auto key = new_column();
  const auto measure = new_column();
  aggregate.keys.push_back({key, value});
  Type type = Type::int64;
  std::string measure_name = "approximate_count_" + name;
  if (op.by != nullptr) {
    TRY(auto by, bind_in(relation.columns, *op.by));
    type = by->type == Type::int32 ? Type::int64 : by->type;
    if (type != Type::int64 && type != Type::real && type != Type::timespan && type != Type::decimal) {
      return diagnose(code::kType, op.by->span, "'top-hitters' adds numbers up");
    }
    measure_name = "approximate_sum_" + implicit_name(*op.by);
    aggregate.measures.push_back({.columns = {{measure, type}}, .op = "sum", .args = {convert(by, type)}});
  } else {
    aggregate.measures.push_back({.columns = {{measure, type}}, .op = "count"});
  }
  relation = Relation{};
  TRY(relation.node, make_node(std::move(aggregate), span));
  relation.columns = {{name, value->type, key, value->nullable}, {measure_name, type, measure, false}};
  relation.order = {{measure, true, false}};
  relation.serialized = true;
  return take_rows(relation, rows, span);
}

}  // namespace picket::kql
