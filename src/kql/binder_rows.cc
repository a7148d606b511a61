// Operators that choose, order and count rows, and those that only say something about the result.
#include <algorithm>
#include <array>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

/// What getschema calls a type in .NET.
std::string_view net_type(Type type) {
  switch (type) {
    case Type::boolean:
      return "System.SByte";
    case Type::int32:
      return "System.Int32";
    case Type::int64:
      return "System.Int64";
    case Type::real:
      return "System.Double";
    case Type::string:
      return "System.String";
    case Type::datetime:
      return "System.DateTime";
    case Type::timespan:
      return "System.TimeSpan";
    case Type::guid:
      return "System.Guid";
    case Type::dynamic:
      return "System.Object";
    case Type::decimal:
      return "System.Data.SqlTypes.SqlDecimal";
  }
  return "";
}

}  // namespace

// --- operators

Checked<> Binder::apply(Relation& relation, const ast::Operator& op) {
  if (relation.render && !std::holds_alternative<ast::Render>(op.op)) {
    return diagnose(code::kSyntax, op.name_span, "'render' must be the last operator");
  }
  const bool of_graphs = std::holds_alternative<ast::GraphMatch>(op.op) ||
                         std::holds_alternative<ast::GraphComponents>(op.op) ||
                         std::holds_alternative<ast::GraphToTable>(op.op);
  if (!of_graphs) TRY_VOID(check_table(relation, op.name_span));
  if (of_graphs && relation.graph == nullptr) return no_graph(op.name_span);
  return std::visit([&](const auto& one) { return apply(relation, one, op.span); }, op.op);
}

Checked<> Binder::apply(Relation& relation, const ast::Where& op, Span span) {
  const Scope* const outer = std::exchange(scope_, &relation.columns);
  Relation* const outer_window = std::exchange(window_, &relation);
  auto predicate = bind_predicate(*op.predicate);
  scope_ = outer;
  window_ = outer_window;
  if (!predicate) return std::unexpected(std::move(predicate).error());
  TRY(relation.node, make_node(Filter{std::move(relation.node), std::move(*predicate)}, span));
  return {};
}

Checked<> Binder::sort_by(Relation& relation, std::span<const ast::SortKey* const> keys) {
  Order order;
  std::vector<NamedExpr> computed;
  Span span{};
  for (const auto* key : keys) {
    TRY(auto expr, bind_in(relation.columns, *key->value));
    span = key->value->span;
    if (expr->type == Type::dynamic) {
      return diagnose(code::kType, span, "dynamic values have no order; convert them, for instance with tostring()");
    }
    const auto column = define({}, expr, computed);
    // Nulls are the smallest: last when descending, first when ascending, unless said otherwise.
    order.push_back({column.id, key->descending, key->nulls_first.value_or(!key->descending)});
  }
  if (!computed.empty()) {
    TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(computed)}, span));
  }
  relation.order = std::move(order);
  relation.serialized = true;
  relation.ordinal.reset();
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::Sort& op, Span /*span*/) {
  std::vector<const ast::SortKey*> keys;
  for (const auto& key : op.keys) keys.push_back(&key);
  return sort_by(relation, keys);
}

Checked<std::int64_t> Binder::row_count(const ast::Expression& count) {
  const Scope nothing;
  TRY(auto value, bind_in(nothing, count));
  const auto* rows = is_literal(value) ? std::get_if<std::int64_t>(&value->value.data) : nullptr;
  if (rows == nullptr || (value->type != Type::int64 && value->type != Type::int32)) {
    return diagnose(code::kArguments, count.span, "the number of rows must be a constant long");
  }
  if (*rows < 0) return diagnose(code::kArguments, count.span, "the number of rows is negative");
  return *rows;
}

Checked<> Binder::take_rows(Relation& relation, std::int64_t rows, Span span) {
  if (relation.partition.empty()) {
    TRY(relation.node, make_node(Take{std::move(relation.node), rows, relation.order}, span));
    return {};
  }
  Window window{.op = "row_number"};
  window.partition = relation.partition;
  window.order = relation.order;
  TRY(auto number, add_window(relation, std::move(window), Type::int64, false, span));
  auto first = strict_call("le", Type::boolean, {std::move(number), literal({Type::int64, rows})});
  TRY(relation.node, make_node(Filter{std::move(relation.node), std::move(first)}, span));
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::Take& op, Span span) {
  TRY(const auto rows, row_count(*op.count));
  return take_rows(relation, rows, span);
}

Checked<> Binder::apply(Relation& relation, const ast::Sample& op, Span span) {
  TRY(const auto rows, row_count(*op.count));
  if (op.value != nullptr) {
    ast::Distinct distinct;
    TRY(auto value, bind_in(relation.columns, *op.value));
    std::vector<NamedExpr> computed;
    auto name = implicit_name(*op.value);
    relation.columns = {define(name.empty() ? "Column1" : std::move(name), value, computed)};
    if (!computed.empty()) {
      TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(computed)}, span));
    }
    distinct.all = true;
    TRY_VOID(apply(relation, distinct, span));
  }
  relation.order.clear();
  relation.serialized = false;
  return take_rows(relation, rows, span);
}

Checked<> Binder::apply(Relation& relation, const ast::Top& op, Span span) {
  TRY(const auto rows, row_count(*op.count));
  const ast::SortKey* const key = &op.key;
  TRY_VOID(sort_by(relation, std::span(&key, 1)));
  return take_rows(relation, rows, span);
}

/// The name stands for the table up to here, in what follows in this pipeline.
Checked<> Binder::apply(Relation& /*relation*/, const ast::As& op, Span span) {
  if (pipeline_ == nullptr) return diagnose(code::kUnsupported, {span.start, 2}, "'as' inside of a sub-query");
  const auto* const scope = visible_;
  auto& declared = add_declared(op.name.text);  // the newest of a name counts
  declared.table = pipeline_;
  declared.operators = pipeline_at_;
  declared.table_scope = scope;
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::Serialize& op, Span span) {
  relation.serialized = true;
  return op.columns.empty() ? Checked<>{} : bind_columns(relation, op.columns, true, span);
}

Checked<> Binder::apply(Relation& /*relation*/, const ast::Consume& /*op*/, Span span) {
  return diagnose(code::kUnsupported, {span.start, 7}, "'consume' gives no result");
}

Checked<> Binder::apply(Relation& /*relation*/, const ast::Fork& /*op*/, Span span) {
  return diagnose(code::kUnsupported, {span.start, 4}, "'fork' anywhere but at the end of the query");
}

Checked<> Binder::apply(Relation& /*relation*/, const ast::Facet& /*op*/, Span span) {
  return diagnose(code::kUnsupported, {span.start, 5}, "'facet' anywhere but at the end of the query");
}

Checked<> Binder::apply(Relation& relation, const ast::GetSchema& /*op*/, Span span) {
  constexpr std::array<std::pair<std::string_view, Type>, 4> kColumns = {
      std::pair("ColumnName", Type::string), std::pair("ColumnOrdinal", Type::int64),
      std::pair("DataType", Type::string), std::pair("ColumnType", Type::string)};
  Rows rows;
  Relation out;
  for (const auto& [name, type] : kColumns) {
    const auto id = new_column();
    rows.columns.emplace_back(id, type);
    out.columns.push_back({std::string(name), type, id, false});
  }
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    const auto& column = relation.columns[i];
    rows.rows.push_back({literal({Type::string, column.name}), literal({Type::int64, static_cast<std::int64_t>(i)}),
                         literal({Type::string, std::string(net_type(column.type))}),
                         literal({Type::string, std::string(to_string(column.type))})});
  }
  out.serialized = true;
  out.order = {{rows.columns[1].first, false, false}};
  TRY(out.node, make_node(std::move(rows), span));
  relation = std::move(out);
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::Render& op, Span /*span*/) {
  relation.render = RenderHint{op.chart.text, op.properties};
  return {};
}

}  // namespace picket::kql
