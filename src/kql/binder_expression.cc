// Expressions: names, operators, paths.
#include <algorithm>
#include <array>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"
#include "kql/native_functions.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

struct StringOperator {
  std::string_view text;
  std::string_view op;
  bool negated;
};

constexpr StringOperator kStringOperators[] = {
    {"=~", "eq_folded", false},
    {"!~", "eq_folded", true},
    {"has", "has", false},
    {":", "has", false},
    {"!has", "has", true},
    {"has_cs", "has_cs", false},
    {"hascs", "has_cs", false},
    {"!has_cs", "has_cs", true},
    {"hasprefix", "hasprefix", false},
    {"!hasprefix", "hasprefix", true},
    {"hasprefix_cs", "hasprefix_cs", false},
    {"!hasprefix_cs", "hasprefix_cs", true},
    {"hassuffix", "hassuffix", false},
    {"!hassuffix", "hassuffix", true},
    {"hassuffix_cs", "hassuffix_cs", false},
    {"!hassuffix_cs", "hassuffix_cs", true},
    {"contains", "contains", false},
    {"!contains", "contains", true},
    {"contains_cs", "contains_cs", false},
    {"containscs", "contains_cs", false},
    {"!contains_cs", "contains_cs", true},
    {"startswith", "startswith", false},
    {"!startswith", "startswith", true},
    {"startswith_cs", "startswith_cs", false},
    {"!startswith_cs", "startswith_cs", true},
    {"endswith", "endswith", false},
    {"!endswith", "endswith", true},
    {"endswith_cs", "endswith_cs", false},
    {"!endswith_cs", "endswith_cs", true},
    {"matches regex", "matches", false},
};

ExprPtr negate(ExprPtr expr) { return strict_call("not", Type::boolean, {std::move(expr)}); }

}  // namespace

Checked<ExprPtr> Binder::bind_in(const Scope& scope, const ast::Expression& expression) {
  const Scope* const outer = std::exchange(scope_, &scope);
  auto out = bind_expression(expression);
  scope_ = outer;
  return out;
}

Checked<ExprPtr> Binder::bind_predicate(const ast::Expression& expression) {
  TRY(auto out, bind_expression(expression));
  if (out->type != Type::boolean) {
    auto message = "a condition (bool) is expected, this is " + std::string(to_string(out->type));
    if (out->type == Type::dynamic) message += "; use tobool()";
    return diagnose(code::kType, expression.span, std::move(message));
  }
  return out;
}

Checked<ExprPtr> Binder::bind_expression(const ast::Expression& expression) {
  const auto bound = [&]() -> Checked<ExprPtr> {
    switch (expression.kind) {
      case Kind::literal:
        return literal(expression.literal);
      case Kind::name:
        return bind_name(expression);
      case Kind::call:
        return bind_call(expression);
      case Kind::unary:
        return bind_unary(expression);
      case Kind::binary:
        return bind_binary(expression);
      case Kind::logical:
        return bind_logical(expression);
      case Kind::member:
      case Kind::index:
        return bind_path(expression);
      case Kind::list:
        return bind_list(expression);
      case Kind::between:
        return bind_between(expression);
      case Kind::star:
        return diagnose(code::kArguments, expression.span, "'*' has no meaning here");
      case Kind::type_of:
        return diagnose(code::kArguments, expression.span, "typeof() has no meaning here");
      case Kind::sub_query:
        break;
    }
    return diagnose(code::kArguments, expression.span, "a table has no meaning here");
  }();
  if (!bound) return bound;
  // What a decimal is inside of a dynamic value, a number or a text, no documentation tells.
  const auto holds_decimal = [](const ExprPtr& one) {
    return one->kind == Expr::Kind::call && (one->op == "json_of" || one->op == "to_dynamic") &&
           one->args[0]->type == Type::decimal;
  };
  if (holds_decimal(*bound) || std::ranges::any_of((*bound)->args, holds_decimal)) {
    return diagnose(code::kUnsupported, expression.span,
                    "a decimal in a dynamic value; convert it, for instance with todouble()");
  }
  if ((*bound)->size > kExpressionSizeMax || (*bound)->depth > kExpressionDepthMax) {
    return diagnose(code::kLimit, expression.span, "this expression is too large");
  }
  return bound;
}

Checked<ExprPtr> Binder::bind_name(const ast::Expression& expression) {
  const auto& name = expression.text;
  if (scope_ != nullptr) {
    if (const auto* column = find_any_column(*scope_, name)) {
      return column_ref(column->id, column->type, column->nullable);
    }
  }
  if (measures_ != nullptr && !measures_->inside && find_column(*measures_->input, name) != nullptr) {
    return diagnose(code::kArguments, expression.span,
                    "the column " + quoted(name) + " must stand inside an aggregate such as max() or behind 'by'");
  }
  if (const auto* declared = find_declared(name)) {
    if (declared->scalar != nullptr) {
      if (declared->scalar_level != 0 && declared->scalar_level != level_) {
        return diagnose(code::kUnsupported, expression.span,
                        quoted(name) + " depends on the row around this table; a table cannot use it");
      }
      return declared->scalar;
    }
    if (declared->function != nullptr) return call_scalar(*declared, expression);
    return diagnose(code::kType, expression.span, quoted(name) + " is a table; a scalar is expected");
  }
  if (schema_.find(name) != nullptr) {
    return diagnose(code::kType, expression.span, quoted(name) + " is a table; a scalar is expected");
  }
  TRY(const auto* stored, find_function(name, expression.span));
  if (stored != nullptr) return call_scalar(*stored, expression);
  auto message = "there is no column " + quoted(name);
  if (scope_ != nullptr) {
    const auto same = [&](const ScopeColumn& column) {
      return std::ranges::equal(column.name, name, [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
      });
    };
    const auto found = std::ranges::find_if(*scope_, same);
    if (found != scope_->end()) message += "; names are case-sensitive, did you mean " + quoted(found->name) + "?";
  }
  return diagnose(code::kUnknownName, expression.span, std::move(message));
}

Checked<ExprPtr> Binder::bind_unary(const ast::Expression& expression) {
  TRY(auto operand, bind_expression(*expression.children[0]));
  const Type type = operand->type;
  if (type != Type::int32 && type != Type::int64 && type != Type::real && type != Type::timespan &&
      type != Type::decimal) {
    return diagnose(code::kType, expression.span,
                    "the sign '" + expression.text + "' is not defined for " + std::string(to_string(type)));
  }
  if (type == Type::int32) operand = convert(operand, Type::int64);
  if (expression.text == "+") return operand;
  if (type == Type::decimal) return strict_call("decimal_negate", type, {std::move(operand)});
  if (is_literal(operand) && !operand->value.is_null()) {
    auto value = operand->value;
    if (auto* real = std::get_if<double>(&value.data)) *real = -*real;
    if (auto* whole = std::get_if<std::int64_t>(&value.data)) {
      *whole = static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(*whole));
    }
    return literal(std::move(value));
  }
  const Type result = operand->type;
  return strict_call("negate", result, {std::move(operand)});
}

Checked<ExprPtr> Binder::bind_binary(const ast::Expression& expression) {
  if (expression.children[0]->kind == Kind::star) {  // * has "x": any column
    const auto* const known =
        std::ranges::find(kStringOperators, std::string_view(expression.text), &StringOperator::text);
    if (known == std::end(kStringOperators) || known->negated) {
      return diagnose(code::kUnsupported, expression.text_span, "'*' before this operator");
    }
    TRY(const auto wanted, bind_expression(*expression.children[1]));
    return any_column(known->op, wanted, expression.span);
  }
  TRY(auto left, bind_expression(*expression.children[0]));
  TRY(auto right, bind_expression(*expression.children[1]));
  const std::string_view op = expression.text;
  constexpr std::array kArithmetic = {std::string_view("+"), std::string_view("-"), std::string_view("*"),
                                      std::string_view("/"), std::string_view("%")};
  constexpr std::array kComparison = {std::string_view("=="), std::string_view("!="), std::string_view("<>"),
                                      std::string_view("<"),  std::string_view(">"),  std::string_view("<="),
                                      std::string_view(">=")};
  if (contains(kArithmetic, op)) {
    return arithmetic(op, expression.text_span, std::move(left), std::move(right));
  }
  if (contains(kComparison, op)) {
    return compare(op, expression.text_span, std::move(left), std::move(right));
  }
  return bind_string_operator(expression, std::move(left), std::move(right));
}

Checked<ExprPtr> Binder::bind_string_operator(const ast::Expression& expression, ExprPtr left, ExprPtr right) {
  const auto* const known =
      std::ranges::find(kStringOperators, std::string_view(expression.text), &StringOperator::text);
  if (known == std::end(kStringOperators)) {
    return diagnose(code::kUnsupported, expression.text_span,
                    "the operator '" + expression.text + "' is not supported");
  }
  const auto textual = [](const ExprPtr& side) { return side->type == Type::string || side->type == Type::dynamic; };
  if (!textual(left) || !textual(right)) {
    return diagnose(code::kType, expression.text_span,
                    "the operator '" + expression.text + "' compares strings, these are " +
                        std::string(to_string(left->type)) + " and " + std::string(to_string(right->type)) +
                        "; use tostring()");
  }
  auto out = call(known->op, Type::boolean, {convert(left, Type::string), convert(right, Type::string)}, false);
  return known->negated ? negate(std::move(out)) : out;
}

Checked<ExprPtr> Binder::bind_logical(const ast::Expression& expression) {
  std::vector<ExprPtr> args;
  for (const auto& child : expression.children) {
    TRY(auto arg, bind_predicate(*child));
    args.push_back(std::move(arg));
  }
  return strict_call(expression.text == "and" ? "and" : "or", Type::boolean, std::move(args));
}

Checked<ExprPtr> Binder::bind_path(const ast::Expression& expression) {
  if (auto remembered = step_column(expression)) return *std::move(remembered);
  if (auto property = graph_property(expression)) return *std::move(property);
  const auto& inner = *expression.children[0];
  const auto* const row = inner.kind == Kind::call ? find_row_function(inner.text) : nullptr;
  row_wanted_ = row != nullptr && row->sorts_arrays && inner.arguments.size() > 1;  // array_sort_asc(a, b)[1]
  TRY(auto base, bind_expression(*expression.children[0]));
  if (base->type != Type::dynamic) {
    return diagnose(code::kType, expression.span,
                    "only a dynamic value has properties and elements, this is " + std::string(to_string(base->type)) +
                        (base->type == Type::string ? "; use parse_json()" : ""));
  }
  // `extend e = parse_json(Text) | where e.X == 1` reads X from the text itself: the parsed whole is never built.
  if (base->kind == Expr::Kind::column) {
    if (const auto defined = definitions_.find(base->column); defined != definitions_.end()) base = defined->second;
  }
  if (expression.kind == Kind::member) return path(std::move(base), expression.text);
  TRY(auto index, bind_expression(*expression.children[1]));
  if (is_literal(index) && !index->value.is_null()) {
    if (const auto* key = std::get_if<std::string>(&index->value.data); key != nullptr && index->type == Type::string) {
      return path(std::move(base), *key);
    }
    const auto* position = std::get_if<std::int64_t>(&index->value.data);
    if (position != nullptr && (index->type == Type::int64 || index->type == Type::int32)) {
      return path(std::move(base), *position);
    }
  }
  if (index->type == Type::string) return call("element_by_key", Type::dynamic, {std::move(base), std::move(index)});
  if (index->type == Type::int64 || index->type == Type::int32) {
    return call("element_at", Type::dynamic, {std::move(base), convert(index, Type::int64)});
  }
  return diagnose(code::kType, expression.children[1]->span,
                  "an index is a long or a string, this is " + std::string(to_string(index->type)));
}

}  // namespace picket::kql
