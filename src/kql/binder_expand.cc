// mv-expand, and the operators that work on groups of rows apart: mv-apply, partition.
#include <algorithm>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"

namespace picket::kql {

Checked<> Binder::expand(Relation& relation, const ast::Expand& op, Span span, std::vector<std::string>& names) {
  Expand expand{.bags_as_arrays = op.bags_as_arrays};
  if (op.limit != nullptr) {
    TRY(expand.limit, row_count(*op.limit));
  }
  Scope out = relation.columns;
  Scope fresh;
  std::vector<NamedExpr> converted;
  for (const auto& item : op.items) {
    TRY(auto value, bind_in(relation.columns, *item.value));
    if (value->type != Type::dynamic) {
      return diagnose(code::kType, item.value->span,
                      "only a dynamic value can be expanded, this is " + std::string(to_string(value->type)) +
                          (value->type == Type::string ? "; use parse_json() or split()" : ""));
    }
    auto name = item.name ? item.name->text : implicit_name(*item.value);
    if (name.empty()) name = unique_name(out, "Column1");
    const Span name_span = item.name ? item.name->span : item.value->span;
    const auto id = new_column();
    expand.items.push_back({id, std::move(value)});
    ScopeColumn column{name, Type::dynamic, id, true};
    if (item.type && *item.type != Type::dynamic) {
      auto element = convert(column_ref(id, Type::dynamic, true), *item.type);
      column = {name, *item.type, new_column(), element->nullable};
      converted.push_back({column.id, std::move(element)});
    }
    TRY_VOID(add_column(fresh, column, name_span));
    names.push_back(name);
    const auto same = std::ranges::find(out, name, &ScopeColumn::name);
    if (same != out.end()) {
      *same = column;
    } else {
      TRY_VOID(add_column(out, column, name_span));
    }
  }
  if (op.index) {
    expand.index = new_column();
    names.push_back(op.index->text);
    TRY_VOID(add_column(out, {op.index->text, Type::int64, *expand.index, false}, op.index->span));
  }
  expand.input = std::move(relation.node);
  relation.columns = std::move(out);
  TRY(relation.node, make_node(std::move(expand), span));
  if (!converted.empty()) {
    TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(converted)}, span));
  }
  relation.ordinal.reset();
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::Expand& op, Span span) {
  std::vector<std::string> names;
  return expand(relation, op, span, names);
}

/// Rows are numbered, expanded, and worked on apart for each number; the row's own columns are carried along.
Checked<> Binder::apply(Relation& relation, const ast::Apply& op, Span span) {
  if (!relation.partition.empty()) {
    return diagnose(code::kUnsupported, {span.start, 8}, "'mv-apply' inside of 'mv-apply' or 'partition'");
  }
  Window window{.op = "row_number"};
  window.order = relation.order;
  TRY(const auto number, add_window(relation, std::move(window), Type::int64, false, span));
  relation.partition = {number->column};
  relation.order.clear();
  relation.serialized = true;
  const Scope before = relation.columns;
  relation.carried = relation.columns;
  std::vector<std::string> items;
  TRY_VOID(expand(relation, op.expand, span, items));
  TRY_VOID(apply_all(relation, op.operators));
  // Left: the row's columns, but for those that an item took the name of, and what the sub-query gives.
  Scope out;
  const Scope result = std::move(relation.columns);
  const auto left = [&](const std::string& name) {
    if (contains(items, name) && find_column(result, name) != nullptr) return false;
    return std::ranges::none_of(op.expand.items, [&](const ast::Expand::Item& item) {
      return !item.name && implicit_name(*item.value) == name;  // mv-apply d on (...): d itself is worked on
    });
  };
  for (const auto& column : relation.carried) {
    if (left(column.name)) out.push_back(column);
  }
  for (const auto& column : result) {
    if (find_column(before, column.name) == nullptr || contains(items, column.name)) {
      TRY_VOID(add_column(out, column, span));
    }
  }
  relation.columns = std::move(out);
  relation.carried.clear();
  relation.partition.clear();
  relation.order.clear();
  relation.serialized = false;
  relation.ordinal.reset();
  return {};
}

/// In place of the rows of each part: the rows of a table, where the key is a hidden column.
Checked<> Binder::with_source(Relation& relation, const ScopeColumn& key, const ast::Partition& op, Span span) {
  TRY(const auto source, bind_operators(*op.table, 0));
  TRY_VOID(check_table(source, op.table->span));
  const auto part = new_column();
  Aggregate parts{std::move(relation.node), {{part, column_ref(key.id, key.type, key.nullable)}}, {}, {}};
  Join join{.right = source.node, .kind = JoinKind::inner};
  TRY(join.left, make_node(std::move(parts), span));
  const auto hidden = std::make_shared<Scope>(Scope{{op.key->text, key.type, new_column(), key.nullable}});
  join.left_columns.push_back({hidden->front().id, part, key.type});
  Relation out{.node = {}, .columns = source.columns};
  for (auto& column : out.columns) {
    const auto id = new_column();
    join.right_columns.push_back({id, column.id, column.type});
    column.id = id;
    hidden_.emplace(id, hidden);
  }
  out.partition = {hidden->front().id};
  TRY(out.node, make_node(std::move(join), span));
  relation = std::move(out);
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::Partition& op, Span span) {
  if (!relation.partition.empty()) {
    return diagnose(code::kUnsupported, {span.start, 9}, "'partition' inside of 'mv-apply' or 'partition'");
  }
  TRY(auto key, bind_in(relation.columns, *op.key));
  if (key->type == Type::dynamic) {
    return diagnose(code::kType, op.key->span, "rows cannot be parted by a dynamic value; convert it");
  }
  std::vector<NamedExpr> computed;
  const auto column = define({}, key, computed);
  if (!computed.empty()) {
    TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(computed)}, span));
  }
  relation.partition = {column.id};
  relation.order.clear();
  relation.serialized = false;
  relation.ordinal.reset();
  if (op.table != nullptr) TRY_VOID(with_source(relation, column, op, span));
  TRY_VOID(apply_all(relation, op.table != nullptr ? op.table->operators : op.operators));
  relation.partition.clear();
  relation.carried.clear();
  relation.order.clear();
  relation.serialized = false;
  relation.ordinal.reset();
  return {};
}

/// An aggregation, apart where the relation is: what parts is one more key, what is carried one more value.
Checked<> Binder::aggregate(Relation& relation, Aggregate aggregate, Span span) {
  std::vector<ColumnId> partition;
  for (const auto column : relation.partition) {
    const auto id = new_column();
    aggregate.keys.push_back({id, column_ref(column, Type::int64, true)});
    partition.push_back(id);
  }
  if (!relation.carried.empty()) {
    Aggregate::Measure carried{.columns = {}, .op = "take_any"};
    for (auto& column : relation.carried) {
      carried.args.push_back(column_ref(column.id, column.type, column.nullable));
      column.id = new_column();
      carried.columns.emplace_back(column.id, column.type);
    }
    aggregate.measures.push_back(std::move(carried));
  }
  relation.partition = std::move(partition);
  aggregate.input = std::move(relation.node);
  TRY(relation.node, make_node(std::move(aggregate), span));
  relation.order.clear();
  relation.serialized = false;
  relation.ordinal.reset();
  return {};
}

}  // namespace picket::kql
