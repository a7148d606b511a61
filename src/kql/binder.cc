// Sources of tables.
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

/// The keys of a promoted path.
std::vector<std::string> keys_of(std::string_view path) {
  std::vector<std::string> out(1);
  for (const char c : path) c == '.' ? static_cast<void>(out.emplace_back()) : out.back().push_back(c);
  return out;
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
  Match* const outer_match = std::exchange(match_, nullptr);
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
  match_ = outer_match;
  return out;
}

Checked<Relation> Binder::bind_pipeline(const ast::Pipeline& pipeline) {
  TRY(auto out, bind_operators(pipeline, SIZE_MAX));
  TRY_VOID(check_table(out, pipeline.span));
  return out;
}

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
  if (const auto* inner = std::get_if<ast::PipelinePtr>(&source)) return bind_operators(**inner, SIZE_MAX);
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

/// The name in table("T"): a constant, so that the schema decides and not the rows.
Checked<std::string> Binder::table_named(const ast::Expression& call) {
  const Scope nothing;
  const auto& argument = *call.arguments[0].value;
  TRY(const auto value, bind_in(nothing, argument));
  return constant_text(argument, value);
}

Checked<Relation> Binder::bind_table_call(const ast::Expression& call) {
  if (call.text == "table" && call.arguments.size() == 1) {
    TRY(auto name, table_named(call));
    return bind_table({std::move(name), call.arguments[0].value->span});
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
    auto json = column_ref(id, column.type, relation.columns.back().nullable);
    if (column.type == Type::string) json = call("parse_json", Type::dynamic, {std::move(json)});
    for (const auto& promotion : column.promotions) {
      PromotedKey key{promotion.path, promotion.type, new_column(), std::nullopt, json};
      for (const auto& step : keys_of(promotion.path)) key.source = path(std::move(key.source), step);
      out.fields.push_back({key.value, promotion.type, promotion.sql});
      if (!promotion.exact_sql.empty()) {
        key.exact = new_column();
        out.fields.push_back({*key.exact, Type::boolean, promotion.exact_sql, false, promotion.exact_mask});
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
  const auto* time = find_column(relation.columns, table.time_column);
  if (time != nullptr) out.time = time->id;
  TRY(relation.node, make_node(std::move(out), span));
  if (time != nullptr && options_.time_range) {
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
    const bool precise = type == Type::decimal &&
                         (value->type == Type::int64 || value->type == Type::int32 || value->type == Type::real);
    if (value->type == type || null || precise) {
      value = convert(value, type);
    } else if (widens) {
      value = convert(value, type);
    } else if (type == Type::dynamic && value->type != Type::decimal) {
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

}  // namespace picket::kql
