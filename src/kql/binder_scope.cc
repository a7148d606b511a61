// What names mean: let, query parameters, functions of the query and of the workspace, results.
#include <algorithm>
#include <array>

#include "binder.h"
#include "binder_state.h"
#include "contains.h"
#include "expr.h"
#include "parser.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

constexpr std::uint32_t kCallDepthMax = 50;

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

bool has_columns(const Expr& expr) {
  if (expr.kind == Expr::Kind::column) return true;
  return std::ranges::any_of(expr.args, [](const ExprPtr& arg) { return has_columns(*arg); });
}

}  // namespace

Checked<std::vector<Plan>> bind(const ast::Query& query, const Schema& schema, const Options& options,
                                const Discover& discover) {
  return Binder(schema, options, discover).run(query);
}

Checked<std::vector<Plan>> Binder::run(const ast::Query& query) {
  std::vector<Plan> out;
  for (const auto& statement : query.statements) {
    if (const auto* pipeline = std::get_if<ast::PipelinePtr>(&statement)) {
      TRY(auto plans, bind_results(**pipeline));
      std::ranges::move(plans, std::back_inserter(out));
      if (out.size() > kResultsMax) {
        return diagnose(code::kLimit, (*pipeline)->span, "more than " + std::to_string(kResultsMax) + " results");
      }
    } else if (const auto* let = std::get_if<ast::Let>(&statement)) {
      TRY_VOID(declare(*let));
    } else {
      TRY_VOID(declare(std::get<ast::Parameter>(statement)));
    }
  }
  for (const auto& [name, value] : options_.parameters) {
    if (find_declared(name) == nullptr) {
      return diagnose(code::kUnknownName, {0, 0}, "the query declares no parameter " + quoted(name));
    }
  }
  return out;
}

Plan Binder::finish_plan(Relation relation) {
  Plan out{.root = std::move(relation.node), .order = std::move(relation.order), .render = std::move(relation.render)};
  for (auto& column : relation.columns) out.columns.push_back({std::move(column.name), column.type, column.id});
  out.tables = std::move(tables_);
  tables_.clear();
  return out;
}

/// One result, but for pipelines that end in fork or facet.
Checked<std::vector<Plan>> Binder::bind_results(const ast::Pipeline& pipeline) {
  std::vector<Plan> out;
  const auto* last = pipeline.operators.empty() ? nullptr : &pipeline.operators.back();
  const auto* fork = last == nullptr ? nullptr : std::get_if<ast::Fork>(&last->op);
  const auto* facet = last == nullptr ? nullptr : std::get_if<ast::Facet>(&last->op);
  const auto result = [&](auto&& finish) -> Checked<> {
    TRY(auto relation, bind_operators(pipeline, fork != nullptr || facet != nullptr ? pipeline.operators.size() - 1
                                                                                    : pipeline.operators.size()));
    TRY_VOID(finish(relation));
    TRY_VOID(check_table(relation, last == nullptr ? pipeline.span : last->name_span));
    out.push_back(finish_plan(std::move(relation)));
    return {};
  };
  if (fork != nullptr) {
    for (const auto& branch : fork->branches) {
      TRY_VOID(result([&](Relation& relation) { return apply_all(relation, branch->operators); }));
    }
  } else if (facet != nullptr) {
    for (const auto& name : facet->columns) {
      TRY_VOID(result([&](Relation& relation) -> Checked<> {
        const auto* column = find_column(relation.columns, name.text);
        if (column == nullptr)
          return diagnose(code::kUnknownName, name.span, "there is no column " + quoted(name.text));
        Aggregate counts{relation.node, {}, {}, {}};
        const auto key = new_column();
        const auto count = new_column();
        counts.keys.push_back({key, column_ref(column->id, column->type, column->nullable)});
        counts.measures.push_back({.columns = {{count, Type::int64}}, .op = "count"});
        relation.columns = {{name.text, column->type, key, column->nullable},
                            {"count_" + name.text, Type::int64, count}};
        relation.order.clear();
        TRY(relation.node, make_node(std::move(counts), name.span));
        return {};
      }));
    }
    if (!facet->operators.empty()) {
      TRY_VOID(result([&](Relation& relation) { return apply_all(relation, facet->operators); }));
    }
  } else {
    TRY_VOID(result([](Relation&) { return Checked<>{}; }));
  }
  return out;
}

// --- declarations

Binder::Declared& Binder::add_declared(std::string name) {
  declared_.push_back({.before = visible_, .frame = frame_, .name = std::move(name)});
  visible_ = &declared_.back();
  return declared_.back();
}

const Binder::Declared* Binder::find_declared(std::string_view name) const {
  const auto* at = visible_;
  while (at != nullptr && at->name != name) at = at->before;
  return at;
}

bool Binder::is_table(std::string_view name) const {
  if (const auto* declared = find_declared(name)) return declared->table != nullptr;
  return schema_.find(name) != nullptr;
}

Checked<> Binder::check_new_name(const ast::Name& name) const {
  for (const auto* at = visible_; at != nullptr && at->frame == frame_; at = at->before) {
    if (at->name == name.text) {
      return diagnose(code::kDuplicate, name.span, "the name " + quoted(name.text) + " is declared twice");
    }
  }
  return {};
}

Checked<> Binder::declare(const ast::Let& let) {
  TRY_VOID(check_new_name(let.name));
  const auto* const scope = visible_;
  const auto add_table = [&](const ast::Pipeline* pipeline) {
    auto& declared = add_declared(let.name.text);
    declared.table = pipeline;
    declared.table_scope = scope;
  };
  if (const auto* function = std::get_if<ast::FunctionPtr>(&let.value)) {
    add_declared(let.name.text).function = function->get();
    return {};
  }
  if (const auto* pipeline = std::get_if<ast::PipelinePtr>(&let.value)) {
    const auto* called = std::get_if<ast::TableCall>(&(*pipeline)->source);
    const bool alone = called != nullptr && (*pipeline)->operators.empty();
    if (!alone) {
      const std::size_t nodes = nodes_;
      auto tables = tables_;
      TRY_VOID(bind_operators(**pipeline, SIZE_MAX));  // for its errors, used or not
      nodes_ = nodes;
      tables_ = std::move(tables);
    }
    add_table(pipeline->get());
    return {};
  }
  const auto& value = *std::get<ast::ExpressionPtr>(let.value);
  const bool named = value.kind == Kind::name || value.kind == Kind::call;
  bool table = value.kind == Kind::name && is_table(value.text);
  if (named && !table) {
    TRY(const auto* function, find_function(value.text, value.span));
    table = function != nullptr && gives_table(*function);
  }
  if (table) {  // let x = T, let x = f(5)
    auto made = std::make_unique<ast::Pipeline>();
    made->span = value.span;
    if (value.kind == Kind::name) {
      made->source = ast::TableName{ast::Name{value.text, value.span}};
    } else {
      made->source = ast::TableName{ast::Name{{}, value.span}};
    }
    if (value.kind == Kind::call) {
      // The call's arguments stay where they are: the made table refers to the declaration's own expression.
      auto& declared = add_declared(let.name.text);
      called_tables_.emplace(made.get(), &value);
      declared.table = made.get();
      declared.table_scope = scope;
    } else {
      add_table(made.get());
    }
    made_tables_.push_back(std::move(made));
    return {};
  }
  TRY(auto scalar, bind_expression(value));
  add_declared(let.name.text).scalar = std::move(scalar);
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
  const bool widens = (value->type == Type::int64 && (parameter.type == Type::real || parameter.type == Type::int32)) ||
                      (parameter.type == Type::decimal && (value->type == Type::int64 || value->type == Type::real));
  if (value->type != parameter.type && !widens) {
    return diagnose(code::kType, parameter.name.span,
                    "the value of the parameter " + quoted(parameter.name.text) + " is " +
                        std::string(to_string(value->type)) + ", not " + std::string(to_string(parameter.type)));
  }
  add_declared(parameter.name.text).scalar = convert(value, parameter.type);
  return {};
}

// --- functions

Checked<const Binder::Declared*> Binder::find_function(std::string_view name, Span span) {
  if (const auto* declared = find_declared(name)) return declared->function != nullptr ? declared : nullptr;
  const auto* stored = schema_.find_function(name);
  if (stored == nullptr) return nullptr;
  if (const auto found = stored_.find(name); found != stored_.end()) return found->second;
  auto parsed = parse_function(stored->text);
  if (!parsed) {
    return diagnose(parsed.error().code, span, "the stored function " + quoted(name) + ": " + parsed.error().message);
  }
  // It sees the workspace, not the names of the query that calls it.
  declared_.push_back({.before = nullptr, .frame = 0, .name = std::string(name)});
  auto& out = declared_.back();
  out.function = parsed->get();
  out.from_workspace = true;
  stored_functions_.push_back(std::move(*parsed));
  stored_.emplace(std::string(name), &out);
  return &out;
}

/// Whether the body is a table. A lone name or call there may be either: what it means decides.
bool Binder::gives_table(const Declared& function) {
  const auto& body = function.function->body;
  if (std::holds_alternative<ast::PipelinePtr>(body)) return true;
  const auto& expression = *std::get<ast::ExpressionPtr>(body);
  if (expression.kind != Kind::name && expression.kind != Kind::call) return false;
  const auto& declarations = function.function->declarations;
  const auto inner = std::ranges::find(declarations, expression.text,
                                       [](const ast::Let& let) -> const std::string& { return let.name.text; });
  if (inner != declarations.end()) {
    if (std::holds_alternative<ast::PipelinePtr>(inner->value)) return true;
    const auto* nested = std::get_if<ast::FunctionPtr>(&inner->value);
    return nested != nullptr && std::holds_alternative<ast::PipelinePtr>((*nested)->body);
  }
  const auto& parameters = function.function->parameters;
  const auto parameter = std::ranges::find(parameters, expression.text,
                                           [](const auto& one) -> const std::string& { return one.name.text; });
  if (parameter != parameters.end()) return parameter->tabular;
  const auto* const outer = std::exchange(visible_, function.before);
  bool out = is_table(expression.text) && expression.kind == Kind::name;
  if (!out && ++call_depth_ < kCallDepthMax) {
    const auto called = find_function(expression.text, expression.span);
    out = called && *called != nullptr && *called != &function && gives_table(**called);
    --call_depth_;
  }
  visible_ = outer;
  return out;
}

Checked<> Binder::check_table_argument(const ast::Function::Parameter& parameter, const Relation& table,
                                       Span span) const {
  for (const auto& [name, type] : parameter.columns) {
    const auto* column = find_column(table.columns, name.text);
    if (column == nullptr || column->type != type) {
      return diagnose(code::kType, span,
                      "the table for " + quoted(parameter.name.text) + " needs a column " + quoted(name.text) +
                          " of the type " + std::string(to_string(type)));
    }
  }
  return {};
}

Checked<> Binder::declare_table_argument(const ast::Function::Parameter& parameter, const ast::Expression& argument,
                                         const Declared* caller) {
  const ast::Pipeline* table = argument.table.get();
  if (table == nullptr) {
    if (argument.kind != Kind::name && argument.kind != Kind::call) {
      return diagnose(code::kType, argument.span, "a table is expected here");
    }
    auto made = std::make_unique<ast::Pipeline>();
    made->span = argument.span;
    made->source = ast::TableName{{argument.kind == Kind::name ? argument.text : std::string(), argument.span}};
    if (argument.kind == Kind::call) called_tables_.emplace(made.get(), &argument);
    table = made.get();
    made_tables_.push_back(std::move(made));
  }
  const auto* const outer = std::exchange(visible_, caller);
  const std::size_t nodes = nodes_;
  auto bound = bind_pipeline(*table);
  nodes_ = nodes;
  visible_ = outer;
  if (!bound) return std::unexpected(std::move(bound).error());
  TRY_VOID(check_table_argument(parameter, *bound, argument.span));
  auto& declared = add_declared(parameter.name.text);
  declared.table = table;
  declared.table_scope = caller;
  return {};
}

/// Declares the parameters with their arguments; `input` is the piped table of invoke, the first parameter's.
Checked<> Binder::declare_arguments(const Declared& function, const ast::Expression& call, const Declared* input) {
  const auto& parameters = function.function->parameters;
  const Declared* const caller = visible_;
  std::vector<ExprPtr> scalars(parameters.size());
  std::vector<const ast::Expression*> given(parameters.size());
  std::size_t next = input != nullptr ? 1 : 0;
  if (input != nullptr && (parameters.empty() || !parameters[0].tabular)) {
    return diagnose(code::kArguments, call.text_span, "the function " + call.text + "() takes no table");
  }
  for (const auto& argument : call.arguments) {
    std::size_t at = next++;
    if (!argument.names.empty()) {
      const auto named = std::ranges::find(parameters, argument.names[0].text,
                                           [](const auto& one) -> const std::string& { return one.name.text; });
      if (named == parameters.end()) {
        return diagnose(code::kArguments, argument.names[0].span, "the function has no such parameter");
      }
      at = static_cast<std::size_t>(named - parameters.begin());
    }
    if (at >= parameters.size() || given[at] != nullptr) {
      return diagnose(code::kArguments, argument.value->span, call.text + "() does not take so many arguments");
    }
    given[at] = argument.value.get();
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {  // in the caller's scope
    const auto& parameter = parameters[i];
    if (parameter.tabular || (given[i] == nullptr && parameter.fallback == nullptr)) {
      if (given[i] == nullptr && !(i == 0 && input != nullptr)) {
        return diagnose(code::kArguments, call.span, call.text + "() wants a value for " + quoted(parameter.name.text));
      }
      continue;
    }
    TRY(scalars[i], bind_expression(given[i] != nullptr ? *given[i] : *parameter.fallback));
    const auto from = scalars[i]->type;
    const auto to = parameter.type;
    const bool number = ((from == Type::int32 || from == Type::int64) &&
                         (to == Type::int64 || to == Type::real || to == Type::int32)) ||
                        (to == Type::decimal && (from == Type::int32 || from == Type::int64 || from == Type::real));
    if (from != to && !number && from != Type::dynamic && !(is_literal(scalars[i]) && scalars[i]->value.is_null())) {
      return diagnose(code::kType, given[i] != nullptr ? given[i]->span : call.span,
                      "the parameter " + quoted(parameter.name.text) + " is " + std::string(to_string(to)) +
                          ", this is " + std::string(to_string(from)));
    }
    scalars[i] = convert(scalars[i], to);
  }
  const auto callers_level = level_;
  visible_ = function.before;
  frame_ = ++frames_;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& parameter = parameters[i];
    if (!parameter.tabular) {
      auto& declared = add_declared(parameter.name.text);
      declared.scalar = std::move(scalars[i]);
      declared.scalar_level = has_columns(*declared.scalar) ? callers_level : 0;
    } else if (given[i] != nullptr) {
      TRY_VOID(declare_table_argument(parameter, *given[i], caller));
    } else {
      auto& declared = add_declared(parameter.name.text);
      declared.table = input->table;
      declared.operators = input->operators;
      declared.table_scope = input->table_scope;
      TRY(const auto table, bind_declared_table(declared));
      TRY_VOID(check_table_argument(parameter, table, call.span));
    }
  }
  return {};
}

template <class Out, class Body>
Checked<Out> Binder::in_function(const Declared& function, const ast::Expression& call, const Declared* input,
                                 Body body) {
  const Declared* const outer_visible = visible_;
  const auto outer_frame = frame_;
  ++call_depth_;
  auto out = [&]() -> Checked<Out> {
    if (call_depth_ > kCallDepthMax) return diagnose(code::kLimit, call.span, "functions call each other too deeply");
    TRY_VOID(declare_arguments(function, call, input));
    // The body sees no row around the call but through its arguments.
    const Scope* const outer_scope = std::exchange(scope_, nullptr);
    auto inner = [&]() -> Checked<Out> {
      for (const auto& let : function.function->declarations) TRY_VOID(declare(let));
      return body();
    }();
    scope_ = outer_scope;
    if (!inner && function.from_workspace) {
      inner.error().message = "in the stored function " + quoted(call.text) + ": " + inner.error().message;
      inner.error().span = call.text_span;
    }
    return inner;
  }();
  --call_depth_;
  visible_ = outer_visible;
  frame_ = outer_frame;
  return out;
}

Checked<ExprPtr> Binder::call_scalar(const Declared& function, const ast::Expression& call) {
  const auto* body = std::get_if<ast::ExpressionPtr>(&function.function->body);
  if (body == nullptr || gives_table(function)) {
    return diagnose(code::kType, call.span, "the function " + call.text + "() gives a table; a scalar is expected");
  }
  return in_function<ExprPtr>(function, call, nullptr, [&] { return bind_expression(**body); });
}

Checked<Relation> Binder::call_table(const Declared& function, const ast::Expression& call, const Declared* input) {
  if (!gives_table(function)) {
    return diagnose(code::kType, call.span, "the function " + call.text + "() gives a scalar; a table is expected");
  }
  return in_function<Relation>(function, call, input, [&]() -> Checked<Relation> {
    const auto& body = function.function->body;
    if (const auto* pipeline = std::get_if<ast::PipelinePtr>(&body)) return bind_pipeline(**pipeline);
    const auto& expression = *std::get<ast::ExpressionPtr>(body);
    if (expression.kind == Kind::call) return bind_table_call(expression);
    return bind_table({expression.text, expression.span});
  });
}

Checked<> Binder::apply(Relation& relation, const ast::Invoke& op, Span span) {
  TRY(const auto* function, find_function(op.call->text, op.call->text_span));
  if (function == nullptr) {
    return diagnose(code::kUnknownName, op.call->text_span, "there is no function " + op.call->text + "() to invoke");
  }
  if (pipeline_ == nullptr) return diagnose(code::kUnsupported, {span.start, 6}, "'invoke' inside of a sub-query");
  Declared input;
  input.table = pipeline_;
  input.operators = pipeline_at_;
  input.table_scope = visible_;
  TRY(relation, call_table(*function, *op.call, &input));
  return {};
}

}  // namespace picket::kql
