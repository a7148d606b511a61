#include "binder.h"

#include <algorithm>
#include <array>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"
#include "kql/native_functions.h"
#include "parser.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

}  // namespace

/// Linear: the last star is the only one worth going back to.
bool matches_pattern(std::string_view name, std::string_view pattern) {
  std::size_t n = 0;
  std::size_t p = 0;
  std::optional<std::size_t> star;
  std::size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++n;
      ++p;
    } else if (star) {
      p = *star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

namespace {

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
  }
  return "";
}

/// Columns that may stand for JSON text: worth remembering for promoted keys.
bool is_json_source(const Expr& expr) {
  return expr.kind == Expr::Kind::path || expr.kind == Expr::Kind::column ||
         (expr.kind == Expr::Kind::call && expr.op == "parse_json");
}

}  // namespace

// --- sources

Checked<NodePtr> Binder::make_node(decltype(Node::op) op, Span span) {
  if (++nodes_ > kPlanNodesMax) {
    return diagnose(
        code::kLimit, span,
        "the query has more than " + std::to_string(kPlanNodesMax) + " operators once 'let' tables are put in place");
  }
  return std::make_shared<const Node>(Node{std::move(op)});
}

Checked<Relation> Binder::bind_operators(const ast::Pipeline& pipeline, std::size_t count) {
  // A table inside an expression starts afresh: it sees no columns of the row around it.
  const Scope* const outer_scope = std::exchange(scope_, nullptr);
  Measures* const outer_measures = std::exchange(measures_, nullptr);
  Relation* const outer_window = std::exchange(window_, nullptr);
  const ast::Pipeline* const outer_pipeline = pipeline_;
  const std::size_t outer_at = pipeline_at_;
  const Declared* const outer_visible = visible_;  // `as` adds names
  ++level_;
  auto out = [&]() -> Checked<Relation> {
    if (level_ > kNestingMax) return diagnose(code::kLimit, pipeline.span, "tables are nested too deeply");
    TRY(auto relation, bind_source(pipeline));
    for (std::size_t i = 0; i < std::min(count, pipeline.operators.size()); ++i) {
      pipeline_ = &pipeline;
      pipeline_at_ = i;
      TRY_VOID(apply(relation, pipeline.operators[i]));
    }
    return relation;
  }();
  --level_;
  visible_ = outer_visible;
  pipeline_ = outer_pipeline;
  pipeline_at_ = outer_at;
  scope_ = outer_scope;
  measures_ = outer_measures;
  window_ = outer_window;
  return out;
}

Checked<Relation> Binder::bind_pipeline(const ast::Pipeline& pipeline) { return bind_operators(pipeline, SIZE_MAX); }

Checked<> Binder::apply_all(Relation& relation, std::span<const ast::Operator> operators) {
  const ast::Pipeline* const outer = std::exchange(pipeline_, nullptr);  // no text has what stands before these
  for (const auto& op : operators) TRY_VOID(apply(relation, op));
  pipeline_ = outer;
  return {};
}

Checked<Relation> Binder::bind_source(const ast::Pipeline& pipeline) {
  const auto& source = pipeline.source;
  if (const auto called = called_tables_.find(&pipeline); called != called_tables_.end()) {
    return bind_table_call(*called->second);
  }
  if (const auto* table = std::get_if<ast::TableName>(&source)) return bind_table(table->name);
  if (const auto* print = std::get_if<ast::Print>(&source)) return bind_print(*print);
  if (const auto* rows = std::get_if<ast::Datatable>(&source)) return bind_datatable(*rows, pipeline.span);
  if (const auto* range = std::get_if<ast::Range>(&source)) return bind_range(*range);
  if (const auto* inner = std::get_if<ast::PipelinePtr>(&source)) return bind_pipeline(**inner);
  if (const auto* called = std::get_if<ast::TableCall>(&source)) return bind_table_call(*called->call);
  if (const auto* search = std::get_if<ast::Search>(&source)) return bind_search(*search, pipeline.span);
  if (const auto* find = std::get_if<ast::Find>(&source)) return bind_find(*find, pipeline.span);
  if (const auto* external = std::get_if<ast::ExternalData>(&source)) return bind_external(*external, pipeline.span);
  return bind_union({}, {}, std::get<ast::Union>(source), pipeline.span);
}

Checked<Relation> Binder::bind_declared_table(const Declared& declared) {
  const Declared* const outer = std::exchange(visible_, declared.table_scope);
  auto out = bind_operators(*declared.table, declared.operators);
  visible_ = outer;
  return out;
}

Checked<Relation> Binder::bind_table(const ast::Name& name) {
  if (const auto* declared = find_declared(name.text)) {
    if (declared->table != nullptr) return bind_declared_table(*declared);
    if (declared->function == nullptr) {
      return diagnose(code::kType, name.span, quoted(name.text) + " is a scalar; a table is expected");
    }
  }
  if (find_declared(name.text) == nullptr) {
    if (const auto* table = schema_.find(name.text)) return scan(*table, name.span);
  }
  TRY(const auto* function, find_function(name.text, name.span));  // a function without arguments needs no brackets
  if (function == nullptr) return diagnose(code::kUnknownName, name.span, "there is no table " + quoted(name.text));
  ast::Expression call{.kind = Kind::call, .span = name.span};
  call.text = name.text;
  call.text_span = name.span;
  return call_table(*function, call, nullptr);
}

Checked<Relation> Binder::bind_table_call(const ast::Expression& call) {
  if (call.text == "table" && call.arguments.size() == 1 && call.arguments[0].value->kind == Kind::literal) {
    if (const auto* name = std::get_if<std::string>(&call.arguments[0].value->literal.data)) {
      return bind_table({*name, call.arguments[0].value->span});
    }
  }
  TRY(const auto* function, find_function(call.text, call.text_span));
  if (function != nullptr) return call_table(*function, call, nullptr);
  if (contains(std::array{"database", "cluster", "workspace", "app", "table", "materialized_view", "external_table",
                          "stored_query_result", "graph"},
               std::string_view(call.text))) {
    return diagnose(code::kUnsupported, call.text_span, "the function " + call.text + "() is not supported as a table");
  }
  return diagnose(code::kUnknownName, call.text_span, "there is no function " + call.text + "() that gives a table");
}

Checked<Relation> Binder::bind_external(const ast::ExternalData& external, Span span) {
  std::vector<Relation> branches;
  const Scope nothing;
  for (const auto& address : external.addresses) {
    TRY(const auto value, bind_in(nothing, *address));
    TRY(const auto text, constant_text(*address, value));
    const auto found = std::ranges::find(schema_.external, text, &Table::name);
    if (found == schema_.external.end()) {
      return diagnose(code::kUnsupported, address->span, "externaldata from an address that is not allowed here");
    }
    TRY(auto table, scan(*found, address->span));
    Scope columns;
    for (const auto& [name, type] : external.columns) {
      const auto* column = find_column(table.columns, name.text);
      if (column == nullptr || column->type != type) {
        return diagnose(code::kType, name.span, "the file has no column " + quoted(name.text) + " of this type");
      }
      columns.push_back(*column);
    }
    table.columns = std::move(columns);
    branches.push_back(std::move(table));
  }
  if (branches.size() == 1) return std::move(branches.front());
  return union_of(std::move(branches), {}, {}, span);
}

Checked<Relation> Binder::scan(const Table& table, Span span) {
  const auto sql_name = [](std::string_view name) {
    std::string out = "\"";
    for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + '"';
  };
  Scan out{table.name, table.sql.empty() ? sql_name(table.name) : table.sql, {}, table.parts};
  Relation relation;
  auto hidden = std::make_shared<Scope>();
  for (const auto& column : table.hidden) {
    const auto id = new_column();
    const bool text = column.type == Type::string;
    out.fields.push_back(
        {id, column.type, column.sql.empty() ? sql_name(column.name) : column.sql, text && !column.not_null});
    hidden->push_back({column.name, column.type, id, !text && !column.not_null});
  }
  for (const auto& column : table.columns) {
    const auto id = new_column();
    out.fields.push_back({id, column.type, column.sql.empty() ? sql_name(column.name) : column.sql,
                          column.type == Type::string && !column.not_null});
    relation.columns.push_back({column.name, column.type, id, column.type != Type::string && !column.not_null});
    if (column.promotions.empty()) continue;
    auto& keys = promoted_[id];
    for (const auto& promotion : column.promotions) {
      PromotedKey key{promotion.path, promotion.type, new_column(), std::nullopt};
      out.fields.push_back({key.value, promotion.type, promotion.sql});
      if (!promotion.exact_sql.empty()) {
        key.exact = new_column();
        out.fields.push_back({*key.exact, Type::boolean, promotion.exact_sql});
      }
      keys.push_back(std::move(key));
    }
  }
  if (!table.ingestion_sql.empty()) {
    const auto id = new_column();
    out.fields.push_back({id, Type::datetime, table.ingestion_sql});
    hidden->push_back({std::string(kIngestionColumn), Type::datetime, id});
  }
  if (!hidden->empty()) {
    for (const auto& column : relation.columns) hidden_.emplace(column.id, hidden);
  }
  if (!contains(tables_, table.name)) tables_.push_back(table.name);
  TRY(relation.node, make_node(std::move(out), span));
  if (const auto* time = find_column(relation.columns, table.time_column); time != nullptr && options_.time_range) {
    const auto& range = *options_.time_range;
    const auto column = column_ref(time->id, Type::datetime, time->nullable);
    const auto bound = [&](std::string_view op, Timestamp at) {
      return strict_call(op, Type::boolean, {column, literal({Type::datetime, at.us})});
    };
    auto inside = strict_call("and", Type::boolean, {bound("ge", range.from), bound("lt", range.to)});
    TRY(relation.node, make_node(Filter{std::move(relation.node), std::move(inside)}, span));
  }
  return relation;
}

Checked<Relation> Binder::bind_print(const ast::Print& print) {
  Rows rows;
  rows.rows.emplace_back();
  Relation out;
  const Scope nothing;
  std::size_t index = 0;
  for (const auto& assignment : print.columns) {
    TRY(auto expr, bind_in(nothing, *assignment.value));
    auto name = assignment.names.empty() ? "print_" + std::to_string(index) : assignment.names[0].text;
    if (assignment.names.empty()) name = unique_name(out.columns, std::move(name));
    const auto id = new_column();
    TRY_VOID(add_column(out.columns, {std::move(name), expr->type, id, expr->nullable}, assignment.value->span));
    rows.columns.emplace_back(id, expr->type);
    rows.rows[0].push_back(std::move(expr));
    ++index;
  }
  TRY(out.node, make_node(std::move(rows), print.columns[0].value->span));
  return out;
}

Checked<Relation> Binder::bind_datatable(const ast::Datatable& table, Span span) {
  if (table.columns.empty()) return diagnose(code::kArguments, span, "a datatable needs a column");
  if (table.cells.size() % table.columns.size() != 0) {
    return diagnose(code::kArguments, span,
                    "the number of values is no multiple of the " + std::to_string(table.columns.size()) + " columns");
  }
  Rows rows;
  Relation out;
  for (const auto& [name, type] : table.columns) {
    const auto id = new_column();
    TRY_VOID(add_column(out.columns, {name.text, type, id, type != Type::string}, name.span));
    rows.columns.emplace_back(id, type);
  }
  const Scope nothing;
  for (std::size_t i = 0; i < table.cells.size(); ++i) {
    const auto& cell = *table.cells[i];
    TRY(auto value, bind_in(nothing, cell));
    const Type type = table.columns[i % table.columns.size()].second;
    const bool null = is_literal(value) && value->value.is_null();
    const bool widens = (value->type == Type::int64 && (type == Type::int32 || type == Type::real)) ||
                        (value->type == Type::int32 && (type == Type::int64 || type == Type::real));
    if (value->type == type || null) {
      value = convert(value, type);
    } else if (widens) {
      value = convert(value, type);
    } else if (type == Type::dynamic) {
      value = call("to_dynamic", Type::dynamic, {std::move(value)});
    } else if (value->type == Type::string) {
      value = convert(value, type);  // as the language does: text that does not convert is null
    } else {
      return diagnose(
          code::kType, cell.span,
          "this value is " + std::string(to_string(value->type)) + ", the column is " + std::string(to_string(type)));
    }
    if (i % table.columns.size() == 0) rows.rows.emplace_back();
    rows.rows.back().push_back(std::move(value));
  }
  TRY(out.node, make_node(std::move(rows), span));
  out.serialized = true;
  return out;
}

Checked<Relation> Binder::bind_range(const ast::Range& range) {
  const Scope nothing;
  TRY(auto first, bind_in(nothing, *range.first));
  TRY(auto last, bind_in(nothing, *range.last));
  TRY(auto step, bind_in(nothing, *range.step));
  const bool time = first->type == Type::datetime && last->type == Type::datetime && step->type == Type::timespan;
  const bool spans = first->type == Type::timespan && last->type == Type::timespan && step->type == Type::timespan;
  const auto is_number = [](const ExprPtr& e) {
    return e->type == Type::int64 || e->type == Type::int32 || e->type == Type::real;
  };
  const bool real = first->type == Type::real || last->type == Type::real || step->type == Type::real;
  const auto type = time ? Type::datetime : spans ? Type::timespan : real ? Type::real : Type::int64;
  if (!time && !spans && !(is_number(first) && is_number(last) && is_number(step))) {
    return diagnose(code::kType, range.name.span, "a range goes over numbers, datetimes (by timespan) or timespans");
  }
  const auto id = new_column();
  Relation out;
  out.columns.push_back({range.name.text, type, id, false});
  if (const auto* by = is_literal(step) ? std::get_if<std::int64_t>(&step->value.data) : nullptr) {
    out.order = {{id, *by < 0, *by >= 0}};
  }
  out.serialized = true;
  if (!time && !spans) {
    first = convert(first, type);
    last = convert(last, type);
    step = convert(step, type);
  }
  TRY(out.node, make_node(Range{id, type, std::move(first), std::move(last), std::move(step)}, range.name.span));
  return out;
}

// --- operators

Checked<> Binder::apply(Relation& relation, const ast::Operator& op) {
  if (relation.render && !std::holds_alternative<ast::Render>(op.op)) {
    return diagnose(code::kSyntax, op.name_span, "'render' must be the last operator");
  }
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

ScopeColumn Binder::define(std::string name, const ExprPtr& expr, std::vector<NamedExpr>& computed) {
  if (expr->kind == Expr::Kind::column) return {std::move(name), expr->type, expr->column, expr->nullable};
  const auto id = new_column();
  if (is_json_source(*expr)) definitions_.emplace(id, expr);
  computed.push_back({id, expr});
  return {std::move(name), expr->type, id, expr->nullable};
}

/// The columns that one assignment gives: one, but for functions that give a row.
Checked<std::vector<Binder::OutputColumn>> Binder::bind_output(Relation& relation, const ast::Assignment& assignment) {
  const auto& value = *assignment.value;
  Relation* const outer_window = std::exchange(window_, &relation);
  row_wanted_ = value.kind == Kind::call && find_row_function(value.text) != nullptr;
  auto bound = bind_in(relation.columns, value);
  row_wanted_ = false;
  window_ = outer_window;
  if (!bound) return std::unexpected(std::move(bound).error());
  std::vector<OutputColumn> out;
  const auto* const row = value.kind == Kind::call ? find_row_function(value.text) : nullptr;
  if (row == nullptr) {
    if (assignment.names.size() > 1) {
      return diagnose(code::kArguments, assignment.names[1].span, "more names than values");
    }
    const bool given = !assignment.names.empty();
    auto name = given ? assignment.names[0].text : implicit_name(value);
    out.push_back({std::move(name), given, std::move(*bound), given ? assignment.names[0].span : value.span});
    return out;
  }
  // The function's JSON array is computed once; its elements are the columns.
  const auto whole = new_column();
  TRY(relation.node, make_node(Extend{std::move(relation.node), {{whole, std::move(*bound)}}}, value.span));
  const auto base = value.text + "_" + (value.arguments.empty() ? "" : implicit_name(*value.arguments[0].value));
  const std::size_t count = row->sorts_arrays ? value.arguments.size() : row->columns.size();
  for (std::size_t i = 0; i < count; ++i) {
    auto element = path(column_ref(whole, Type::dynamic, true), static_cast<std::int64_t>(i));
    const bool given = i < assignment.names.size();
    OutputColumn column{.name = given               ? assignment.names[i].text
                                : row->sorts_arrays ? implicit_name(*value.arguments[i].value) + "_sorted"
                                                    : base + "_" + std::string(row->columns[i].name),
                        .given = given,
                        .value = row->sorts_arrays ? element : convert(element, row->columns[i].type),
                        .span = given ? assignment.names[i].span : value.span};
    out.push_back(std::move(column));
  }
  if (assignment.names.size() > count) {
    return diagnose(code::kArguments, assignment.names[count].span, "more names than values");
  }
  return out;
}

Checked<> Binder::bind_columns(Relation& relation, const std::vector<ast::Assignment>& columns, bool keep, Span span) {
  std::vector<NamedExpr> computed;
  Scope out = keep ? relation.columns : Scope();
  Scope fresh;  // names this operator has given: each at most once
  std::size_t unnamed = 0;
  for (const auto& assignment : columns) {
    TRY(auto values, bind_output(relation, assignment));
    for (auto& value : values) {
      auto name = std::move(value.name);
      if (name.empty()) {
        do {
          name = "Column" + std::to_string(++unnamed);
        } while (find_column(keep ? out : fresh, name) != nullptr);
      } else if (!value.given && (keep || assignment.value->kind != Kind::name)) {
        name = unique_name(fresh, std::move(name));
      }
      const auto column = define(std::move(name), value.value, computed);
      TRY_VOID(add_column(fresh, column, value.span));
      const auto same = std::ranges::find(out, column.name, &ScopeColumn::name);
      if (same != out.end()) {
        *same = column;
      } else {
        TRY_VOID(add_column(out, column, value.span));
      }
    }
  }
  relation.columns = std::move(out);
  if (!computed.empty()) {
    TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(computed)}, span));
  }
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::Extend& op, Span span) {
  return bind_columns(relation, op.columns, true, span);
}

Checked<> Binder::apply(Relation& relation, const ast::Project& op, Span span) {
  return bind_columns(relation, op.columns, false, span);
}

Checked<std::vector<std::size_t>> Binder::matching(const Scope& scope, const ast::Name& pattern) const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < scope.size(); ++i) {
    if (pattern.pattern ? matches_pattern(scope[i].name, pattern.text) : scope[i].name == pattern.text)
      out.push_back(i);
  }
  if (out.empty()) {
    return diagnose(code::kUnknownName, pattern.span, "there is no column " + quoted(pattern.text));
  }
  return out;
}

Checked<> Binder::apply(Relation& relation, const ast::ProjectAway& op, Span span) {
  std::vector<bool> drop(relation.columns.size());
  for (const auto& pattern : op.columns) {
    TRY(const auto found, matching(relation.columns, pattern));
    for (const auto i : found) drop[i] = true;
  }
  Scope out;
  for (std::size_t i = 0; i < drop.size(); ++i) {
    if (!drop[i]) out.push_back(relation.columns[i]);
  }
  if (out.empty()) return diagnose(code::kArguments, span, "no column would be left");
  relation.columns = std::move(out);
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::ProjectKeep& op, Span /*span*/) {
  std::vector<bool> keep(relation.columns.size());
  for (const auto& pattern : op.columns) {
    TRY(const auto found, matching(relation.columns, pattern));
    for (const auto i : found) keep[i] = true;
  }
  Scope out;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    if (keep[i]) out.push_back(relation.columns[i]);
  }
  relation.columns = std::move(out);
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::ProjectRename& op, Span /*span*/) {
  Scope out = relation.columns;
  for (const auto& [fresh, old] : op.columns) {
    TRY(const auto found, matching(relation.columns, old));
    out[found[0]].name = fresh.text;
  }
  for (const auto& [fresh, old] : op.columns) {
    if (std::ranges::count(out, fresh.text, &ScopeColumn::name) > 1) {
      return diagnose(code::kDuplicate, fresh.span, "there is already a column " + quoted(fresh.text));
    }
  }
  relation.columns = std::move(out);
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::ProjectReorder& op, Span /*span*/) {
  using Direction = ast::ProjectReorder::Direction;
  std::vector<bool> used(relation.columns.size());
  Scope out;
  for (const auto& [pattern, direction] : op.columns) {
    TRY(const auto found, matching(relation.columns, pattern));
    Scope part;
    for (const auto i : found) {
      if (!used[i]) part.push_back(relation.columns[i]);
      used[i] = true;
    }
    if (direction == Direction::ascending) std::ranges::sort(part, {}, &ScopeColumn::name);
    if (direction == Direction::descending) std::ranges::sort(part, std::greater<>{}, &ScopeColumn::name);
    std::ranges::move(part, std::back_inserter(out));
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) out.push_back(relation.columns[i]);
  }
  relation.columns = std::move(out);
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
  TRY_VOID(check_new_name(op.name));
  const auto* const scope = visible_;
  auto& declared = add_declared(op.name.text);
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

// --- names

const ScopeColumn* Binder::find_column(const Scope& scope, std::string_view name) {
  const auto found = std::ranges::find(scope, name, &ScopeColumn::name);
  return found == scope.end() ? nullptr : &*found;
}

const ScopeColumn* Binder::find_any_column(const Scope& scope, std::string_view name) const {
  if (const auto* shown = find_column(scope, name)) return shown;
  for (const auto& column : scope) {
    const auto hidden = hidden_.find(column.id);
    if (hidden == hidden_.end()) continue;
    if (const auto* found = find_column(*hidden->second, name)) return found;
  }
  return nullptr;
}

std::string Binder::unique_name(const Scope& scope, std::string name) {
  if (find_column(scope, name) == nullptr) return name;
  for (std::size_t i = 1;; ++i) {
    auto candidate = name + std::to_string(i);
    if (find_column(scope, candidate) == nullptr) return candidate;
  }
}

Checked<> Binder::add_column(Scope& scope, ScopeColumn column, Span span) const {
  if (find_column(scope, column.name) != nullptr) {
    return diagnose(code::kDuplicate, span, "the column " + quoted(column.name) + " is declared twice");
  }
  if (scope.size() >= kColumnsMax)
    return diagnose(code::kLimit, span, "more than " + std::to_string(kColumnsMax) + " columns");
  scope.push_back(std::move(column));
  return {};
}

/// What a column is called that is given no name; "": it has no name of its own.
std::string Binder::implicit_name(const ast::Expression& expression) {
  switch (expression.kind) {
    case Kind::name:
      return expression.text;
    case Kind::member: {
      const auto base = implicit_name(*expression.children[0]);
      return base.empty() ? expression.text : base + "_" + expression.text;
    }
    case Kind::index: {
      const auto base = implicit_name(*expression.children[0]);
      const auto& key = expression.children[1]->literal.data;
      std::string text;
      if (expression.children[1]->kind == Kind::literal) {
        if (const auto* name = std::get_if<std::string>(&key)) text = *name;
        if (const auto* position = std::get_if<std::int64_t>(&key)) text = std::to_string(*position);
      }
      return base.empty() ? text : base + "_" + text;
    }
    case Kind::call: {
      NameRule rule = NameRule::none;
      std::string_view prefix;
      if (const auto* aggregate = find_aggregate(expression.text)) {
        const auto argument =
            expression.arguments.empty() ? std::string() : implicit_name(*expression.arguments[0].value);
        return aggregate->prefix.empty() ? argument : std::string(aggregate->prefix) + "_" + argument;
      }
      if (const auto* function = find_scalar_function(expression.text)) {
        rule = function->name_rule;
        prefix = function->prefix;
      } else if (const auto* coded = find_coded(expression.text)) {
        rule = coded->name_rule;
      }
      if (rule == NameRule::none || expression.arguments.empty()) return {};
      const auto argument = implicit_name(*expression.arguments[0].value);
      return rule == NameRule::first_argument ? argument : std::string(prefix) + "_" + argument;
    }
    default:
      return {};
  }
}

}  // namespace picket::kql
