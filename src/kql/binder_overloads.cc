// Calls: which function a name is, and the arguments as its overloads want them. Functions that need code of their own
// are in binder_functions.cc and binder_calls.cc.
#include <algorithm>

#include "binder_state.h"
#include "expr.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

}  // namespace

Checked<ExprPtr> Binder::bind_call(const ast::Expression& expression) {
  const auto& name = expression.text;
  const bool whole_row = std::exchange(row_wanted_, false);
  if (auto asked = graph_function(expression)) return *std::move(asked);
  const bool built_in = find_aggregate(name) != nullptr || find_scalar_function(name) != nullptr ||
                        find_coded(name) != nullptr || is_window_function(name);
  if (!built_in || find_declared(name) != nullptr) {  // what the query declares goes first
    TRY(const auto* function, find_function(name, expression.text_span));
    if (function != nullptr) return call_scalar(*function, expression);
  }
  if (is_window_function(name)) return bind_window(expression, name);
  // hll_merge() and its like are both: of the rows of a group, and of the values of a row.
  const bool of_a_row = (measures_ == nullptr || measures_->inside) && find_scalar_function(name) != nullptr;
  if (const auto* aggregate = find_aggregate(name); aggregate != nullptr && !of_a_row) {
    if (measures_ == nullptr || measures_->inside) {
      return diagnose(code::kArguments, expression.text_span,
                      "the aggregate " + name + "() has its place in summarize");
    }
    return bind_aggregate(*aggregate, expression);
  }
  const auto* const function = find_scalar_function(name);
  const auto* const coded = function == nullptr ? find_coded(name) : nullptr;
  if (function == nullptr && coded == nullptr) {
    if (is_known_unsupported_function(name)) {
      return diagnose(code::kUnsupported, expression.text_span, "the function " + name + "() is not supported");
    }
    auto message = "there is no function " + name + "()";
    const auto similar = similar_names(name);
    if (!similar.empty()) message += "; did you mean " + std::string(similar.front()) + "()?";
    return diagnose(code::kUnknownName, expression.text_span, std::move(message));
  }
  if (coded != nullptr &&
      (expression.arguments.size() < coded->args_min || expression.arguments.size() > coded->args_max)) {
    return diagnose(code::kArguments, expression.span,
                    name + "() takes " + std::to_string(coded->args_min) +
                        (coded->args_max == coded->args_min ? ""
                         : coded->args_max > kColumnsMax    ? " or more"
                                                            : " to " + std::to_string(coded->args_max)) +
                        " arguments, not " + std::to_string(expression.arguments.size()));
  }
  if (function != nullptr && function->overloads[0].op == kLocationOp && !schema_.locations) {
    return diagnose(code::kUnsupported, expression.text_span,
                    name +
                        "() needs a database of locations: name one in the server's configuration "
                        "(geo_database = \"/path/GeoLite2-City.mmdb\")");
  }
  std::vector<ExprPtr> args;
  for (const auto& argument : expression.arguments) {
    // A name before an argument of a built-in function, iff(c, x = a, b), says nothing: place decides.
    if (argument.value->kind == Kind::type_of || argument.value->kind == Kind::sub_query || name == "toscalar") {
      args.push_back(nullptr);  // read from the syntax tree by the functions that want one
      continue;
    }
    TRY(auto arg, bind_expression(*argument.value));
    args.push_back(std::move(arg));
  }
  // Of other types no documented value says which bytes are hashed.
  if (function != nullptr && function->overloads[0].op == kHashOp && !args.empty() && args[0] != nullptr &&
      args[0]->type != Type::string && args[0]->type != Type::datetime) {
    return diagnose(code::kUnsupported, expression.arguments[0].value->span,
                    name + "() of anything but a string or a datetime; convert it with tostring()");
  }
  const bool digests = name == "hash_md5" || name == "hash_sha1" || name == "hash_sha256";
  if (digests && !args.empty() && args[0] != nullptr && args[0]->type != Type::string &&
      args[0]->type != Type::dynamic) {
    return diagnose(code::kUnsupported, expression.arguments[0].value->span,
                    name + "() of anything but a string; convert it with tostring()");
  }
  const auto* const row = find_row_function(name);
  auto out =
      coded != nullptr ? (this->*coded->bind)(expression, args) : bind_overload(*function, expression, std::move(args));
  if (!out || row == nullptr || whole_row) return out;
  if (!row->sorts_arrays) {
    return diagnose(code::kUnsupported, expression.text_span,
                    name + "() gives several columns; its place is extend or project");
  }
  if (expression.arguments.size() > 1) {
    return diagnose(code::kUnsupported, expression.text_span, name + "() of several arrays inside of an expression");
  }
  return path(std::move(*out), std::int64_t{0});
}

Checked<std::optional<ExprPtr>> Binder::fit(char letter, const ExprPtr& arg, int& cost) {
  const Type type = arg->type;
  const auto as = [&](Type target, int price) -> std::optional<ExprPtr> {
    cost += price;
    return convert(arg, target);
  };
  switch (letter) {
    case 'b':
      return type == Type::boolean ? std::optional(arg) : std::nullopt;
    case 'i':
      return type == Type::int32 ? std::optional(arg) : std::nullopt;
    case 'l':
      if (type == Type::int64) return arg;
      return type == Type::int32 ? as(Type::int64, 1) : std::nullopt;
    case 'r':
      if (type == Type::real) return arg;
      return type == Type::int32 || type == Type::int64 ? as(Type::real, 2)
             : type == Type::decimal                    ? as(Type::real, 3)
                                                        : std::nullopt;
    case 's':
      if (type == Type::string) return arg;
      return type == Type::dynamic ? as(Type::string, 3) : std::nullopt;
    case 'S':
      return as(Type::string, type == Type::string ? 0 : 4);
    case 'J':
      cost += 4;
      return json_of(arg);
    case 'd':
      return type == Type::datetime ? std::optional(arg) : std::nullopt;
    case 't':
      return type == Type::timespan ? std::optional(arg) : std::nullopt;
    case 'g':
      return type == Type::guid ? std::optional(arg) : std::nullopt;
    case 'D':
      return type == Type::decimal ? std::optional(arg) : std::nullopt;
    case 'j':
      return type == Type::dynamic ? std::optional(arg) : std::nullopt;
    default:
      return std::nullopt;
  }
}

Checked<ExprPtr> Binder::bind_overload(const ScalarFunction& function, const ast::Expression& expression,
                                       std::vector<ExprPtr> args) {
  // A decimal is no real there: it is always a finite number.
  const bool decimal = !args.empty() && args[0] != nullptr && args[0]->type == Type::decimal;
  if (decimal && expression.text.starts_with("is")) {
    return diagnose(code::kType, expression.arguments[0].value->span,
                    "argument 1 of " + expression.text + "() cannot be decimal");
  }
  const Overload* best = nullptr;
  std::vector<ExprPtr> best_args;
  int best_cost = 0;
  bool count_fits = false;
  std::size_t wrong = 0;  // first argument that did not fit, for the message
  for (const auto& overload : function.overloads) {
    const auto& letters = overload.parameters;
    const bool many = letters.ends_with('*');
    const std::size_t fixed = many ? letters.size() - 2 : letters.size();
    if (args.size() < fixed || (!many && args.size() > fixed)) continue;
    count_fits = true;
    std::vector<ExprPtr> fitted;
    int cost = 0;
    for (const auto& arg : args) {
      if (arg == nullptr) break;
      const char letter = fitted.size() < fixed ? letters[fitted.size()] : letters[fixed];
      TRY(auto converted, fit(letter, arg, cost));
      if (!converted) break;
      fitted.push_back(std::move(*converted));
    }
    if (fitted.size() < args.size()) {
      wrong = std::max(wrong, fitted.size());
      continue;
    }
    if (best == nullptr || cost < best_cost) {
      best = &overload;
      best_cost = cost;
      best_args = std::move(fitted);
    }
  }
  if (!count_fits) {
    return diagnose(code::kArguments, expression.span,
                    expression.text + "() does not take " + std::to_string(args.size()) + " arguments");
  }
  if (best == nullptr) {
    const auto& argument = *expression.arguments[wrong].value;
    const auto type = args[wrong] == nullptr ? std::string("that") : std::string(to_string(args[wrong]->type));
    return diagnose(code::kType, argument.span,
                    "argument " + std::to_string(wrong + 1) + " of " + expression.text + "() cannot be " + type);
  }
  return call(best->op, best->result, std::move(best_args));
}

}  // namespace picket::kql
