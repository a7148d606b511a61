#include "binder.h"

#include <algorithm>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"
#include "kql/native_functions.h"
#include "parser.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

/// `pattern` holds stars, each for any characters. Linear: the last star is the only one worth going back to.
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

/// Columns that may stand for JSON text: worth remembering for promoted keys.
bool is_json_source(const Expr& expr) {
  return expr.kind == Expr::Kind::path || expr.kind == Expr::Kind::column ||
         (expr.kind == Expr::Kind::call && expr.op == "parse_json");
}

}  // namespace

Checked<Plan> bind(const ast::Query& query, const Schema& schema, const Options& options) {
  return Binder(schema, options).run(query);
}

Checked<Plan> Binder::run(const ast::Query& query) {
  for (const auto& declaration : query.declarations) {
    TRY_VOID(std::visit([this](const auto& one) { return declare(one); }, declaration));
  }
  for (const auto& [name, value] : options_.parameters) {
    if (find_declared(name) == nullptr) {
      return diagnose(code::kUnknownName, {0, 0}, "the query declares no parameter " + quoted(name));
    }
  }
  TRY(auto relation, bind_pipeline(*query.pipeline));
  Plan out{.root = std::move(relation.node), .order = std::move(relation.order), .render = std::move(relation.render)};
  for (auto& column : relation.columns) out.columns.push_back({std::move(column.name), column.type, column.id});
  out.tables = std::move(tables_);
  return out;
}

// --- declarations

const Binder::Declared* Binder::find_declared(std::string_view name) const {
  const auto seen = std::span(declared_).first(std::min(visible_, declared_.size()));
  const auto found = std::ranges::find(seen, name, &Declared::name);
  return found == seen.end() ? nullptr : &*found;
}

bool Binder::is_table(std::string_view name) const {
  if (const auto* declared = find_declared(name)) return declared->scalar == nullptr;
  return schema_.find(name) != nullptr;
}

Checked<> Binder::check_new_name(const ast::Name& name) const {
  if (find_declared(name.text) == nullptr) return {};
  return diagnose(code::kDuplicate, name.span, "the name " + quoted(name.text) + " is declared twice");
}

Checked<> Binder::declare(const ast::Let& let) {
  TRY_VOID(check_new_name(let.name));
  if (const auto* pipeline = std::get_if<ast::PipelinePtr>(&let.value)) {
    const std::size_t nodes = nodes_;
    TRY_VOID(bind_pipeline(**pipeline));  // for its errors, used or not
    nodes_ = nodes;
    declared_.push_back({let.name.text, nullptr, pipeline->get()});
    return {};
  }
  const auto& value = *std::get<ast::ExpressionPtr>(let.value);
  if (value.kind == Kind::name && is_table(value.text)) {  // let x = T
    auto table = std::make_unique<ast::Pipeline>();
    table->span = value.span;
    table->source = ast::TableName{{value.text, value.span}};
    declared_.push_back({let.name.text, nullptr, table.get()});
    renamed_tables_.push_back(std::move(table));
    return {};
  }
  TRY(auto scalar, bind_expression(value));
  declared_.push_back({let.name.text, std::move(scalar), nullptr});
  return {};
}

Checked<> Binder::declare(const ast::Parameter& parameter) {
  TRY_VOID(check_new_name(parameter.name));
  ExprPtr value;
  if (const auto given = options_.parameters.find(parameter.name.text); given != options_.parameters.end()) {
    value = literal(given->second);
  } else if (parameter.fallback != nullptr) {
    TRY(value, bind_expression(*parameter.fallback));
  } else {
    return diagnose(code::kArguments, parameter.name.span,
                    "the parameter " + quoted(parameter.name.text) + " has no value");
  }
  const bool widens = value->type == Type::int64 && parameter.type == Type::real;
  if (value->type != parameter.type && !widens) {
    return diagnose(code::kType, parameter.name.span,
                    "the value of the parameter " + quoted(parameter.name.text) + " is " +
                        std::string(to_string(value->type)) + ", not " + std::string(to_string(parameter.type)));
  }
  declared_.push_back({parameter.name.text, convert(value, parameter.type), nullptr});
  return {};
}

// --- sources

Checked<NodePtr> Binder::make_node(decltype(Node::op) op, Span span) {
  if (++nodes_ > kPlanNodesMax) {
    return diagnose(
        code::kLimit, span,
        "the query has more than " + std::to_string(kPlanNodesMax) + " operators once 'let' tables are put in place");
  }
  return std::make_shared<const Node>(Node{std::move(op)});
}

Checked<Relation> Binder::bind_pipeline(const ast::Pipeline& pipeline) {
  // A table inside an expression starts afresh: it sees no columns of the row around it.
  const Scope* const outer_scope = std::exchange(scope_, nullptr);
  Measures* const outer_measures = std::exchange(measures_, nullptr);
  auto out = [&]() -> Checked<Relation> {
    TRY(auto relation, bind_source(pipeline));
    for (const auto& op : pipeline.operators) TRY_VOID(apply(relation, op));
    return relation;
  }();
  scope_ = outer_scope;
  measures_ = outer_measures;
  return out;
}

Checked<Relation> Binder::bind_source(const ast::Pipeline& pipeline) {
  const auto& source = pipeline.source;
  if (const auto* table = std::get_if<ast::TableName>(&source)) return bind_table(table->name);
  if (const auto* print = std::get_if<ast::Print>(&source)) return bind_print(*print);
  if (const auto* rows = std::get_if<ast::Datatable>(&source)) return bind_datatable(*rows, pipeline.span);
  if (const auto* range = std::get_if<ast::Range>(&source)) return bind_range(*range);
  if (const auto* inner = std::get_if<ast::PipelinePtr>(&source)) return bind_pipeline(**inner);
  return bind_union({}, {}, std::get<ast::Union>(source), pipeline.span);
}

Checked<Relation> Binder::bind_table(const ast::Name& name) {
  if (const auto* declared = find_declared(name.text)) {
    if (declared->table != nullptr) {
      const std::size_t outer = std::exchange(visible_, static_cast<std::size_t>(declared - declared_.data()));
      auto out = bind_pipeline(*declared->table);
      visible_ = outer;
      return out;
    }
    return diagnose(code::kType, name.span, quoted(name.text) + " is a scalar; a table is expected");
  }
  if (const auto* table = schema_.find(name.text)) return scan(*table, name.span);
  return diagnose(code::kUnknownName, name.span, "there is no table " + quoted(name.text));
}

Checked<Relation> Binder::scan(const Table& table, Span span) {
  const auto sql_name = [](std::string_view name) {
    std::string out = "\"";
    for (const char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + '"';
  };
  Scan out{table.name, table.sql.empty() ? sql_name(table.name) : table.sql, {}};
  Relation relation;
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
  return out;
}

Checked<Relation> Binder::bind_range(const ast::Range& range) {
  const Scope nothing;
  TRY(auto first, bind_in(nothing, *range.first));
  TRY(auto last, bind_in(nothing, *range.last));
  TRY(auto step, bind_in(nothing, *range.step));
  const bool time = first->type == Type::datetime && last->type == Type::datetime && step->type == Type::timespan;
  const auto whole = [](const ExprPtr& e) { return e->type == Type::int64 || e->type == Type::int32; };
  const auto type = time ? Type::datetime : Type::int64;
  if (!time && !(whole(first) && whole(last) && whole(step))) {
    return diagnose(code::kUnsupported, range.name.span, "a range of anything but long, or datetime by timespan");
  }
  const auto id = new_column();
  Relation out;
  out.columns.push_back({range.name.text, type, id, false});
  if (const auto* by = is_literal(step) ? std::get_if<std::int64_t>(&step->value.data) : nullptr) {
    out.order = {{id, *by < 0, *by >= 0}};
  }
  if (!time) {
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
  auto predicate = bind_predicate(*op.predicate);
  scope_ = outer;
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

Checked<> Binder::apply(Relation& relation, const ast::Extend& op, Span span) {
  std::vector<NamedExpr> computed;
  Scope out = relation.columns;
  Scope fresh;  // names this operator has given: each at most once
  std::size_t unnamed = 0;
  for (const auto& assignment : op.columns) {
    if (assignment.names.size() > 1)
      return diagnose(code::kUnsupported, assignment.names[0].span, "several names for one value");
    TRY(auto expr, bind_in(relation.columns, *assignment.value));
    auto name = assignment.names.empty() ? implicit_name(*assignment.value) : assignment.names[0].text;
    if (name.empty()) {
      do {
        name = "Column" + std::to_string(++unnamed);
      } while (find_column(out, name) != nullptr);
    } else if (assignment.names.empty()) {
      name = unique_name(fresh, std::move(name));
    }
    const auto column = define(name, expr, computed);
    const Span name_span = assignment.names.empty() ? assignment.value->span : assignment.names[0].span;
    TRY_VOID(add_column(fresh, column, name_span));
    const auto same = std::ranges::find(out, name, &ScopeColumn::name);
    if (same != out.end()) {
      *same = column;
    } else {
      TRY_VOID(add_column(out, column, name_span));
    }
  }
  relation.columns = std::move(out);
  if (!computed.empty()) {
    TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(computed)}, span));
  }
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::Project& op, Span span) {
  std::vector<NamedExpr> computed;
  Scope out;
  std::size_t unnamed = 0;
  for (const auto& assignment : op.columns) {
    if (assignment.names.size() > 1)
      return diagnose(code::kUnsupported, assignment.names[0].span, "several names for one value");
    TRY(auto expr, bind_in(relation.columns, *assignment.value));
    auto name = assignment.names.empty() ? implicit_name(*assignment.value) : assignment.names[0].text;
    if (name.empty()) name = "Column" + std::to_string(++unnamed);
    if (assignment.names.empty() && assignment.value->kind != Kind::name) name = unique_name(out, std::move(name));
    const Span name_span = assignment.names.empty() ? assignment.value->span : assignment.names[0].span;
    TRY_VOID(add_column(out, define(std::move(name), expr, computed), name_span));
  }
  relation.columns = std::move(out);
  if (!computed.empty()) {
    TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(computed)}, span));
  }
  return {};
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

Checked<> Binder::apply(Relation& relation, const ast::Take& op, Span span) {
  TRY(const auto rows, row_count(*op.count));
  TRY(relation.node, make_node(Take{std::move(relation.node), rows, relation.order}, span));
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::Top& op, Span span) {
  TRY(const auto rows, row_count(*op.count));
  const ast::SortKey* const key = &op.key;
  TRY_VOID(sort_by(relation, std::span(&key, 1)));
  TRY(relation.node, make_node(Take{std::move(relation.node), rows, relation.order}, span));
  return {};
}

Checked<> Binder::apply(Relation& /*relation*/, const ast::As& /*op*/, Span span) {
  return diagnose(code::kUnsupported, {span.start, 2}, "the operator 'as' is not supported yet; use 'let'");
}

Checked<> Binder::apply(Relation& /*relation*/, const ast::Serialize& /*op*/, Span /*span*/) {
  return {};  // rows keep the order they have; window functions, its only users, are refused
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
      return rule == NameRule::first_argument ? argument
             : argument.empty()               ? std::string()
                                              : std::string(prefix) + "_" + argument;
    }
    default:
      return {};
  }
}

}  // namespace picket::kql
