// summarize, distinct, count.
#include <algorithm>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"
#include "kql/native_functions.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;
using Shape = AggregateFunction::Shape;

bool accepts(const AggregateFunction& function, Type type) {
  if (function.accepts == "*") return true;
  if (function.accepts == "S") return type != Type::dynamic;
  return function.accepts.contains(type_letter(type));
}

std::unexpected<Diagnostic> wrong_count(const ast::Expression& call) {
  return diagnose(code::kArguments, call.span, "wrong number of arguments for " + call.text + "()");
}

/// "99.9" as it stands in percentile_x_99_9.
std::string percentage_name(double percentage) {
  auto text = std::to_string(percentage);
  while (text.ends_with('0')) text.pop_back();
  if (text.ends_with('.')) text.pop_back();
  std::ranges::replace(text, '.', '_');
  return text;
}

std::optional<double> number_literal(const ExprPtr& expr) {
  if (expr == nullptr || !is_literal(expr)) return std::nullopt;
  if (const auto* whole = std::get_if<std::int64_t>(&expr->value.data)) {
    return expr->type == Type::int64 || expr->type == Type::int32 ? std::optional(static_cast<double>(*whole))
                                                                  : std::nullopt;
  }
  if (const auto* real = std::get_if<double>(&expr->value.data)) return *real;
  return std::nullopt;
}

}  // namespace

Checked<std::vector<NamedExpr>> Binder::bind_keys(const Scope& input, const std::vector<ast::Assignment>& keys,
                                                  Scope& out) {
  std::vector<NamedExpr> bound;
  std::size_t unnamed = 0;
  for (const auto& key : keys) {
    if (key.names.size() > 1) return diagnose(code::kUnsupported, key.names[0].span, "several names for one value");
    TRY(auto expr, bind_in(input, *key.value));
    if (expr->type == Type::dynamic) {
      return diagnose(code::kType, key.value->span,
                      "rows cannot be grouped by a dynamic value; convert it, for instance with tostring()");
    }
    auto name = key.names.empty() ? implicit_name(*key.value) : key.names[0].text;
    if (name.empty()) name = "Column" + std::to_string(++unnamed);
    if (key.names.empty() && key.value->kind != Kind::name) name = unique_name(out, std::move(name));
    const auto id = new_column();
    TRY_VOID(add_column(out, {std::move(name), expr->type, id, expr->nullable}, key.value->span));
    bound.push_back({id, std::move(expr)});
  }
  return bound;
}

Checked<> Binder::apply(Relation& relation, const ast::Summarize& op, Span span) {
  Scope keys;
  TRY(auto bound_keys, bind_keys(relation.columns, op.keys, keys));
  Measures measures{.found = {}, .input = &relation.columns};
  for (const auto& key : bound_keys) {
    if (key.expr->kind == Expr::Kind::column) measures.plain_keys.push_back(key.expr->column);
  }
  Scope out;
  std::vector<NamedExpr> computed;
  for (const auto& measure : op.measures) {
    auto done = bind_measure(measures, measure, out, computed, keys);
    measures_ = nullptr;
    scope_ = nullptr;
    if (!done) return done;
  }
  relation.columns = std::move(keys);
  for (auto& column : out) TRY_VOID(add_column(relation.columns, std::move(column), span));
  if (relation.columns.empty()) return diagnose(code::kArguments, span, "summarize without a column");
  TRY_VOID(aggregate(relation,
                     Aggregate{{}, std::move(bound_keys), std::move(measures.found), std::move(relation.order)}, span));
  if (!computed.empty()) {
    TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(computed)}, span));
  }
  return {};
}

Checked<> Binder::bind_measure(Measures& measures, const ast::Assignment& assignment, Scope& out,
                               std::vector<NamedExpr>& computed, const Scope& keys) {
  const auto& value = *assignment.value;
  const auto* const function = value.kind == Kind::call ? find_aggregate(value.text) : nullptr;
  if (function != nullptr && (function->shape == Shape::row || function->shape == Shape::any_row)) {
    return bind_row_measure(measures, *function, assignment, out, keys);
  }
  if (function != nullptr && (function->shape == Shape::percentiles || function->shape == Shape::percentile)) {
    return bind_percentiles(measures, assignment, out, keys);
  }
  const Scope nothing;  // only aggregates and what needs no row may stand outside of an aggregate
  measures_ = &measures;
  TRY(auto expr, bind_in(nothing, value));
  if (assignment.names.size() > 1)
    return diagnose(code::kUnsupported, assignment.names[0].span, "several names for one value");
  auto name = assignment.names.empty() ? implicit_name(value) : assignment.names[0].text;
  if (name.empty()) name = "Column1";
  Scope taken = keys;
  taken.insert(taken.end(), out.begin(), out.end());
  const Span name_span = assignment.names.empty() ? value.span : assignment.names[0].span;
  if (assignment.names.empty()) {
    for (std::size_t i = 1; name.starts_with("Column") && find_column(taken, name) != nullptr; ++i) {
      name = "Column" + std::to_string(i);
    }
    name = unique_name(taken, std::move(name));
  } else if (contains(measures.starred, name)) {
    name = unique_name(taken, std::move(name));  // arg_max(x, *) brought a column of this name
  } else if (find_column(taken, name) != nullptr) {
    return diagnose(code::kDuplicate, name_span, "the column '" + name + "' is declared twice");
  }
  return add_column(out, define(std::move(name), expr, computed), name_span);
}

Checked<ExprPtr> Binder::weight_of(const ExprPtr& given, Span span) {
  if (given->type != Type::int32 && given->type != Type::int64) {
    return diagnose(code::kType, span, "the weight must be a long, this is " + std::string(to_string(given->type)));
  }
  return convert(given, Type::int64);
}

Checked<ExprPtr> Binder::bind_aggregate(const AggregateFunction& function, const ast::Expression& call) {
  auto& measures = *measures_;
  measures.inside = true;
  const Scope* const outer = std::exchange(scope_, measures.input);
  auto out = [&]() -> Checked<ExprPtr> {
    if (function.shape == Shape::any_row && !function.conditional && call.arguments.size() == 1 &&
        call.arguments[0].value->kind != Kind::star) {  // take_any(x) as a value
      TRY(auto arg, bind_expression(*call.arguments[0].value));
      const auto id = new_column();
      const Type type = arg->type;
      measures.found.push_back({.columns = {{id, type}}, .op = "take_any", .args = {std::move(arg)}});
      return column_ref(id, type, type != Type::string);
    }
    if (function.shape == Shape::row || function.shape == Shape::any_row || function.shape == Shape::percentiles) {
      return diagnose(code::kUnsupported, call.text_span, call.text + "() inside of another expression");
    }
    Aggregate::Measure measure{.columns = {}, .op = function.op};
    std::vector<ExprPtr> args;
    for (const auto& argument : call.arguments) {
      if (argument.value->kind == Kind::star && function.shape == Shape::count) continue;  // count(*)
      TRY(auto arg, bind_expression(*argument.value));
      args.push_back(std::move(arg));
    }
    if (function.conditional || function.shape == Shape::condition) {
      // make_set_if(x, p, 5): what limits a collection stands behind the predicate.
      const std::size_t at = function.conditional ? 1 : 0;
      if (args.size() <= at) return wrong_count(call);
      if (args[at]->type != Type::boolean) {
        return diagnose(code::kType, call.arguments[at].value->span,
                        "a condition (bool) is expected, this is " + std::string(to_string(args[at]->type)));
      }
      measure.condition = std::move(args[at]);
      args.erase(args.begin() + static_cast<std::ptrdiff_t>(at));
    }
    Type type = Type::int64;
    switch (function.shape) {
      case Shape::count:
        // count(x) counts all rows, nulls too; the engine accepts it, so published queries use it.
        if (args.size() > 1) return wrong_count(call);
        break;
      case Shape::condition:
        if (!args.empty()) return wrong_count(call);
        break;
      case Shape::pair:
        if (args.size() != 2) return wrong_count(call);
        for (std::size_t i = 0; i < 2; ++i) {
          TRY(type, aggregate_type(function, args[i]->type, call.arguments[i].value->span));
          args[i] = convert(args[i], Type::real);
        }
        measure.args = std::move(args);
        break;
      case Shape::percentiles_array: {
        const std::size_t first = function.op == "percentiles_weighted_array" ? 2 : 1;
        if (args.size() <= first) return wrong_count(call);
        for (std::size_t i = first; i < args.size(); ++i) {
          auto shares = std::vector<std::optional<double>>{number_literal(args[i])};
          const auto* json = is_literal(args[i]) && args[i]->type == Type::dynamic
                                 ? std::get_if<std::string>(&args[i]->value.data)
                                 : nullptr;
          if (json != nullptr) {
            shares.clear();
            for (const auto& text : text_elements(*json).value_or(std::vector<std::string>{}))
              shares.push_back(parse_real(text));
          }
          for (const auto& share : shares) {
            if (!share || !(*share >= 0 && *share <= 100)) {
              return diagnose(code::kArguments, call.arguments[i].value->span, "literals from 0 to 100 are expected");
            }
            measure.parameters.push_back(*share);
          }
        }
        TRY(type, aggregate_type(function, args[0]->type, call.arguments[0].value->span));
        measure.args = {std::move(args[0])};
        if (first == 2) {
          TRY(auto weight, weight_of(args[1], call.arguments[1].value->span));
          measure.args.push_back(std::move(weight));
        }
        break;
      }
      case Shape::percentile:
      case Shape::collection:
        if (args.size() == 2) {
          const auto limit = number_literal(args[1]);
          const bool in_range =
              limit && *limit >= 0 && *limit <= (function.shape == Shape::percentile ? 100 : 1'048'576);
          if (!in_range)
            return diagnose(code::kArguments, call.arguments.back().value->span,
                            "a literal number in range is expected");
          measure.parameter = function.op == "dcount" ? 0 : *limit;
          args.pop_back();
        } else if (function.op != "dcount") {
          measure.parameter = 1'048'576;
        }
        [[fallthrough]];
      default: {
        if (function.op == "tdigest" && args.size() == 2) {
          TRY(auto weight, weight_of(args[1], call.arguments[1].value->span));
          TRY(type, aggregate_type(function, args[0]->type, call.arguments[0].value->span));
          measure.args = {std::move(args[0]), std::move(weight)};
          break;
        }
        if (args.size() != 1) return wrong_count(call);
        TRY(type, aggregate_type(function, args[0]->type, call.arguments[0].value->span));
        if (function.result != '=' && type != args[0]->type && (type == Type::int64 || type == Type::real) &&
            function.op != "dcount") {
          args[0] = convert(args[0], type);
        }
        measure.args = std::move(args);
      }
    }
    const auto id = new_column();
    measure.columns = {{id, type}};
    measures.found.push_back(std::move(measure));
    const bool nullable =
        type != Type::string && function.result != 'j' && function.op != "count" && function.op != "dcount";
    return column_ref(id, type, nullable);
  }();
  measures.inside = false;
  scope_ = outer;
  return out;
}

Checked<Type> Binder::aggregate_type(const AggregateFunction& function, Type argument, Span span) const {
  if (!accepts(function, argument)) {
    return diagnose(code::kType, span,
                    std::string(function.name) + "() does not take " + std::string(to_string(argument)) +
                        (argument == Type::dynamic ? "; convert it, for instance with tolong() or tostring()" : ""));
  }
  if (argument == Type::decimal && function.result == 'j') {
    return diagnose(code::kUnsupported, span, "a decimal in a dynamic value; convert it, for instance with todouble()");
  }
  switch (function.result) {
    case 'l':
      return Type::int64;
    case 'r':
      return Type::real;
    case 'j':
      return Type::dynamic;
    case '+':
      return argument == Type::int32 ? Type::int64 : argument;
    case 'a':
      return argument == Type::timespan || argument == Type::datetime || argument == Type::decimal ? argument
                                                                                                   : Type::real;
    default:
      return argument;
  }
}

Checked<> Binder::bind_percentiles(Measures& measures, const ast::Assignment& assignment, Scope& out,
                                   const Scope& keys) {
  const auto& call = *assignment.value;
  const auto& function = *find_aggregate(call.text);
  const std::size_t first = function.op == "percentile_weighted" ? 2 : 1;
  if (call.arguments.size() <= first || (function.shape == Shape::percentile && call.arguments.size() != first + 1)) {
    return wrong_count(call);
  }
  if (assignment.names.size() > call.arguments.size() - first) {
    return diagnose(code::kArguments, assignment.names.back().span, "more names than values");
  }
  TRY(auto value, bind_in(*measures.input, *call.arguments[0].value));
  TRY(const auto type, aggregate_type(function, value->type, call.arguments[0].value->span));
  if (type == Type::int64) value = convert(value, type);
  ExprPtr weight;
  if (first == 2) {
    TRY(weight, bind_in(*measures.input, *call.arguments[1].value));
    TRY(weight, weight_of(weight, call.arguments[1].value->span));
  }
  for (std::size_t i = first; i < call.arguments.size(); ++i) {
    const auto& argument = *call.arguments[i].value;
    const Scope nothing;
    TRY(const auto bound, bind_in(nothing, argument));
    const auto percentage = number_literal(bound);
    if (!percentage || !(*percentage >= 0 && *percentage <= 100)) {
      return diagnose(code::kArguments, argument.span, "a literal from 0 to 100 is expected");
    }
    auto name = "percentile_" + implicit_name(*call.arguments[0].value) + "_" + percentage_name(*percentage);
    if (i - first < assignment.names.size()) name = assignment.names[i - first].text;
    Scope taken = keys;
    taken.insert(taken.end(), out.begin(), out.end());
    const auto id = new_column();
    TRY_VOID(add_column(out, {unique_name(taken, std::move(name)), type, id, true}, argument.span));
    auto& made = measures.found.emplace_back(
        Aggregate::Measure{.columns = {{id, type}}, .op = function.op, .args = {value}, .parameter = *percentage});
    if (weight != nullptr) made.args.push_back(weight);
  }
  return {};
}

/// arg_max(rank, columns...), arg_min, take_any(columns...): one row's values.
Checked<> Binder::bind_row_measure(Measures& measures, const AggregateFunction& function,
                                   const ast::Assignment& assignment, Scope& out, const Scope& keys) {
  const auto& call = *assignment.value;
  const bool ranked = function.shape == Shape::row;
  auto arguments = std::span(call.arguments);
  Aggregate::Measure measure{.columns = {}, .op = function.op};
  if (function.conditional) {
    if (arguments.size() < 2) return wrong_count(call);
    TRY(measure.condition, bind_in(*measures.input, *arguments.back().value));
    if (measure.condition->type != Type::boolean) {
      return diagnose(code::kType, arguments.back().value->span, "a condition (bool) is expected");
    }
    arguments = arguments.first(arguments.size() - 1);
  }
  if (arguments.empty()) return wrong_count(call);
  std::size_t given = 0;  // names on the left side that are used up
  const auto add = [&](std::string name, bool exact_name, ExprPtr value, Span span) -> Checked<> {
    if (given < assignment.names.size()) {
      name = assignment.names[given].text;
      span = assignment.names[given++].span;
      exact_name = true;
    }
    Scope taken = keys;
    taken.insert(taken.end(), out.begin(), out.end());
    if (!exact_name) name = unique_name(taken, std::move(name));
    if (find_column(taken, name) != nullptr)
      return diagnose(code::kDuplicate, span, "the column '" + name + "' is declared twice");
    const auto id = new_column();
    measure.columns.emplace_back(id, value->type);
    TRY_VOID(add_column(out, {std::move(name), value->type, id, value->type != Type::string}, span));
    measure.args.push_back(std::move(value));
    return {};
  };
  // The older argmax(x, y) names its columns max_x and max_x_y.
  const bool older = function.name == "argmax" || function.name == "argmin";
  std::string older_prefix;
  const auto prefixed = [&](std::string name) {
    if (older) return older_prefix + "_" + name;
    return function.prefix.empty() || ranked ? name : std::string(function.prefix) + "_" + name;
  };
  if (ranked) {
    TRY(auto rank, bind_in(*measures.input, *arguments[0].value));
    TRY_VOID(aggregate_type(function, rank->type, arguments[0].value->span));
    auto name = arguments[0].names.empty() ? implicit_name(*arguments[0].value) : arguments[0].names[0].text;
    if (name.empty()) name = std::string(function.prefix) + "_";
    if (older) name = older_prefix = std::string(function.prefix) + "_" + implicit_name(*arguments[0].value);
    measure.args.push_back(rank);
    TRY_VOID(add(std::move(name), !arguments[0].names.empty(), rank, arguments[0].value->span));
  }
  for (std::size_t i = ranked ? 1 : 0; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    if (argument.value->kind == Kind::star) {
      // Every column that is neither a key of the grouping nor what ranks.
      const std::string rank_name =
          ranked && arguments[0].value->kind == Kind::name ? arguments[0].value->text : std::string();
      for (const auto& column : *measures.input) {
        if (contains(measures.plain_keys, column.id) || column.name == rank_name) continue;
        TRY_VOID(add(prefixed(column.name), false, column_ref(column.id, column.type, column.nullable),
                     argument.value->span));
        measures.starred.push_back(out.back().name);
      }
      continue;
    }
    TRY(auto value, bind_in(*measures.input, *argument.value));
    auto name = argument.names.empty() ? implicit_name(*argument.value) : argument.names[0].text;
    if (name.empty()) name = ranked ? std::string(function.prefix) + "_" : std::string("any_");
    TRY_VOID(add(argument.names.empty() ? prefixed(std::move(name)) : std::move(name), !argument.names.empty(),
                 std::move(value), argument.value->span));
  }
  if (given < assignment.names.size()) {
    return diagnose(code::kArguments, assignment.names[given].span, "more names than values");
  }
  measures.found.push_back(std::move(measure));
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::Distinct& op, Span span) {
  Scope out;
  std::vector<NamedExpr> keys;
  if (op.all) {
    for (const auto& column : relation.columns) {
      if (column.type == Type::dynamic) {
        return diagnose(code::kType, span,
                        "the column '" + column.name + "' is dynamic; name the columns of 'distinct'");
      }
      const auto id = new_column();
      out.push_back({column.name, column.type, id, column.nullable});
      keys.push_back({id, column_ref(column.id, column.type, column.nullable)});
    }
  } else {
    TRY(keys, bind_keys(relation.columns, op.columns, out));
  }
  relation.columns = std::move(out);
  return aggregate(relation, Aggregate{{}, std::move(keys), {}, {}}, span);
}

Checked<> Binder::apply(Relation& relation, const ast::Count& op, Span span) {
  const auto id = new_column();
  Aggregate counted;
  counted.measures.push_back({.columns = {{id, Type::int64}}, .op = "count"});
  relation.columns = {{op.name ? op.name->text : "Count", Type::int64, id, false}};
  return aggregate(relation, std::move(counted), span);
}

}  // namespace picket::kql
