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

/// Splits a JSON array literal (made by the parser, so well formed) into its elements; nullopt: not an array.
std::optional<std::vector<std::string>> array_elements(std::string_view json) {
  if (!json.starts_with('[')) return std::nullopt;
  std::vector<std::string> out;
  std::size_t depth = 0;
  std::size_t start = 1;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if ((c == ',' && depth == 1) || depth == 0) {
      if (i > start) out.emplace_back(json.substr(start, i - start));
      start = i + 1;
    }
  }
  return out;
}

/// An element of a dynamic array literal as a literal of its own type; nullopt: null, an array or a bag.
std::optional<Value> scalar_element(std::string_view json) {
  if (json.starts_with('"')) return Value{Type::string, dynamic_text(json)};
  if (json == "true" || json == "false") return Value{Type::boolean, json == "true"};
  if (const auto whole = parse_long(json)) return Value{Type::int64, *whole};
  if (const auto real = parse_real(json)) return Value{Type::real, *real};
  return std::nullopt;
}

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

std::optional<std::vector<std::string>> text_elements(std::string_view json) {
  auto out = array_elements(json);
  if (out) {
    for (auto& element : *out) element = dynamic_text(element);
  }
  return out;
}

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
  if (type != Type::int32 && type != Type::int64 && type != Type::real && type != Type::timespan) {
    return diagnose(code::kType, expression.span,
                    "the sign '" + expression.text + "' is not defined for " + std::string(to_string(type)));
  }
  if (type == Type::int32) operand = convert(operand, Type::int64);
  if (expression.text == "+") return operand;
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

/// The items of `in (...)`: each a scalar; a dynamic array literal stands for its elements.
Checked<std::vector<ExprPtr>> Binder::list_items(const ast::Expression& expression) {
  std::vector<ExprPtr> out;
  for (std::size_t i = 1; i < expression.children.size(); ++i) {
    const auto& child = *expression.children[i];
    TRY(auto item, bind_expression(child));
    if (item->type != Type::dynamic) {
      out.push_back(std::move(item));
      continue;
    }
    const auto* json = is_literal(item) ? std::get_if<std::string>(&item->value.data) : nullptr;
    if (json == nullptr) {
      return diagnose(code::kUnsupported, child.span,
                      "a list that is computed; give the values, a dynamic([...]) literal or a table");
    }
    const auto elements = array_elements(*json);
    if (!elements) {
      if (auto value = scalar_element(*json)) out.push_back(literal(std::move(*value)));
      continue;  // a bag equals no scalar
    }
    for (const auto& element : *elements) {
      if (auto value = scalar_element(element)) out.push_back(literal(std::move(*value)));
    }
  }
  return out;
}

Checked<ExprPtr> Binder::bind_list(const ast::Expression& expression) {
  TRY(auto left, bind_expression(*expression.children[0]));
  const bool negated = expression.text.starts_with('!');
  const bool folded = expression.text.ends_with('~');
  const bool terms = expression.text.starts_with("has");
  const auto finish_up = [&](ExprPtr out) { return negated ? negate(std::move(out)) : out; };

  const ast::Expression* single = expression.children.size() == 2 ? expression.children[1].get() : nullptr;
  const bool names_table = single != nullptr && single->kind == Kind::name &&
                           (scope_ == nullptr || find_column(*scope_, single->text) == nullptr) &&
                           is_table(single->text);
  if (expression.table != nullptr || names_table) {
    if (terms) return diagnose(code::kUnsupported, expression.span, "'" + expression.text + "' with a table");
    TRY(auto table,
        expression.table != nullptr ? bind_pipeline(*expression.table) : bind_table({single->text, single->span}));
    TRY(auto out, bind_in_table(expression, std::move(left), std::move(table)));
    return finish_up(std::move(out));
  }

  if (single != nullptr) {
    TRY(auto list, bind_expression(*single));
    const bool computed = list->type == Type::dynamic && !is_literal(list);
    if (computed) {
      TRY(auto out, bind_dynamic_list(expression, std::move(left), std::move(list)));
      return finish_up(std::move(out));
    }
  }
  TRY(auto items, list_items(expression));
  std::vector<ExprPtr> tests;
  for (auto& item : items) {
    if (terms) {
      if (left->type != Type::string && left->type != Type::dynamic) {
        return diagnose(code::kType, expression.text_span, "'" + expression.text + "' searches in a string");
      }
      tests.push_back(call("has", Type::boolean, {convert(left, Type::string), convert(item, Type::string)}, false));
    } else if (folded) {
      const auto textual = [](const ExprPtr& e) { return e->type == Type::string || e->type == Type::dynamic; };
      if (!textual(left) || !textual(item)) {
        return diagnose(code::kType, expression.text_span, "'" + expression.text + "' compares strings");
      }
      tests.push_back(
          call("eq_folded", Type::boolean, {convert(left, Type::string), convert(item, Type::string)}, false));
    } else {
      if (is_literal(item) && item->value.is_null()) continue;  // null is in no list
      TRY(auto test, compare("==", expression.text_span, left, item));
      tests.push_back(std::move(test));
    }
  }
  if (tests.empty()) {
    return literal({Type::boolean, expression.text == "has_all" || negated});
  }
  // Equal tests of one value against constants become one IN, which the engine hashes.
  const bool plain = !terms && !folded && tests.size() > 1 && std::ranges::all_of(tests, [&](const ExprPtr& test) {
    return test->op == "eq" && is_literal(test->args[1]) && test->args[0]->type == tests[0]->args[0]->type;
  });
  if (plain && left->type != Type::dynamic) {
    std::vector<ExprPtr> args = {tests[0]->args[0]};
    for (const auto& test : tests) args.push_back(test->args[1]);
    return finish_up(call("in", Type::boolean, std::move(args), false));
  }
  // `x in (...)` is false where a comparison gives null.
  const std::string_view joint = expression.text == "has_all" ? "and" : "or";
  auto out = tests.size() == 1 ? tests[0] : strict_call(joint, Type::boolean, std::move(tests));
  if (out->nullable) out = call("is_true", Type::boolean, {std::move(out)}, false);
  return finish_up(std::move(out));
}

/// A list that only the row knows: its elements are looked through there.
Checked<ExprPtr> Binder::bind_dynamic_list(const ast::Expression& expression, ExprPtr left, ExprPtr list) {
  const bool textual = left->type == Type::string || left->type == Type::dynamic;
  if (expression.text.starts_with("has")) {
    if (!textual) return diagnose(code::kType, expression.text_span, "'" + expression.text + "' searches in a string");
    return call(expression.text == "has_all" ? "has_all_of" : "has_any_of", Type::boolean,
                {convert(left, Type::string), call("or_null_text", Type::dynamic, {std::move(list)}, false)}, false);
  }
  const bool folded = expression.text.ends_with('~');
  if (folded && !textual)
    return diagnose(code::kType, expression.text_span, "'" + expression.text + "' compares strings");
  return call(folded ? "in_list_folded" : "in_list", Type::boolean,
              {json_of(left), call("or_null_text", Type::dynamic, {std::move(list)}, false)}, false);
}

Checked<ExprPtr> Binder::bind_in_table(const ast::Expression& expression, ExprPtr left, Relation table) {
  if (table.columns.size() != 1) {
    return diagnose(
        code::kArguments, expression.span,
        "the table of '" + expression.text + "' must have one column, it has " + std::to_string(table.columns.size()));
  }
  auto column = table.columns[0];
  const bool folded = expression.text.ends_with('~');
  const Type target = folded ? Type::string : column.type;
  const bool fits =
      (left->type == target || (left->type == Type::dynamic && target != Type::dynamic) ||
       (left->type == Type::int32 && target == Type::int64) || (left->type == Type::int64 && target == Type::int32)) &&
      column.type != Type::dynamic && (!folded || column.type == Type::string);
  if (!fits) {
    return diagnose(
        code::kType, expression.text_span,
        "cannot look for " + std::string(to_string(left->type)) + " among " + std::string(to_string(column.type)));
  }
  auto value = left->type == Type::dynamic ? comparable(left, target) : std::move(left);
  Expr out{.kind = Expr::Kind::in_table, .type = Type::boolean, .nullable = false, .column = column.id};
  out.op = folded ? "in_folded" : "in";
  out.args = {std::move(value)};
  out.table = std::move(table.node);
  return finish(std::move(out));
}

Checked<ExprPtr> Binder::bind_between(const ast::Expression& expression) {
  TRY(auto value, bind_expression(*expression.children[0]));
  TRY(auto low, bind_expression(*expression.children[1]));
  TRY(auto high, bind_expression(*expression.children[2]));
  // `t between (start .. 1d)`: a timespan after a datetime is a length.
  if (low->type == Type::datetime && high->type == Type::timespan) {
    TRY(high, arithmetic("+", expression.text_span, low, std::move(high)));
  }
  TRY(auto above, compare(">=", expression.text_span, value, std::move(low)));
  TRY(auto below, compare("<=", expression.text_span, value, std::move(high)));
  auto out = strict_call("and", Type::boolean, {std::move(above), std::move(below)});
  return expression.text.starts_with('!') ? negate(std::move(out)) : out;
}

// --- calls

Checked<ExprPtr> Binder::bind_call(const ast::Expression& expression) {
  const auto& name = expression.text;
  const bool whole_row = std::exchange(row_wanted_, false);
  const bool built_in = find_aggregate(name) != nullptr || find_scalar_function(name) != nullptr ||
                        find_coded(name) != nullptr || is_window_function(name);
  if (!built_in || find_declared(name) != nullptr) {  // what the query declares goes first
    TRY(const auto* function, find_function(name, expression.text_span));
    if (function != nullptr) return call_scalar(*function, expression);
  }
  if (is_window_function(name)) return bind_window(expression, name);
  if (const auto* aggregate = find_aggregate(name)) {
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
  std::vector<ExprPtr> args;
  for (const auto& argument : expression.arguments) {
    if (!argument.names.empty()) {
      return diagnose(code::kUnsupported, argument.names[0].span, "a named argument");
    }
    if (argument.value->kind == Kind::type_of || argument.value->kind == Kind::sub_query) {
      args.push_back(nullptr);  // read from the syntax tree by the functions that want one
      continue;
    }
    TRY(auto arg, bind_expression(*argument.value));
    args.push_back(std::move(arg));
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
      return type == Type::int32 || type == Type::int64 ? as(Type::real, 2) : std::nullopt;
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
    case 'j':
      return type == Type::dynamic ? std::optional(arg) : std::nullopt;
    default:
      return std::nullopt;
  }
}

Checked<ExprPtr> Binder::bind_overload(const ScalarFunction& function, const ast::Expression& expression,
                                       std::vector<ExprPtr> args) {
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
