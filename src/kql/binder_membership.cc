// Values among others: in, has_any, has_all, between.
#include <algorithm>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"
#include "kql/native_functions.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

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

ExprPtr negate(ExprPtr expr) { return strict_call("not", Type::boolean, {std::move(expr)}); }

}  // namespace

std::optional<std::vector<std::string>> text_elements(std::string_view json) {
  auto out = array_elements(json);
  if (out) {
    for (auto& element : *out) element = dynamic_text(element);
  }
  return out;
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
    TRY(auto table,
        expression.table != nullptr ? bind_pipeline(*expression.table) : bind_table({single->text, single->span}));
    if (terms || table.columns[0].type == Type::dynamic) {  // what dynamic values hold is looked through, too
      TRY(auto list, list_of(std::move(table), expression.span));
      TRY(auto out, bind_dynamic_list(expression, std::move(left), std::move(list)));
      return finish_up(std::move(out));
    }
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

/// The values of a table's first column as one array; arrays among them give their elements.
Checked<ExprPtr> Binder::list_of(Relation table, Span span) {
  TRY_VOID(check_table(table, span));
  const auto& column = table.columns[0];
  const auto id = new_column();
  Aggregate all{std::move(table.node), {}, {}, {}};
  all.measures.push_back({.columns = {{id, Type::dynamic}},
                          .op = "make_set",
                          .args = {column_ref(column.id, column.type, column.nullable)},
                          .parameter = 1'048'576});
  Expr out{.kind = Expr::Kind::scalar_table, .type = Type::dynamic, .nullable = true, .column = id};
  TRY(out.table, make_node(std::move(all), span));
  return finish(std::move(out));
}

Checked<ExprPtr> Binder::bind_in_table(const ast::Expression& expression, ExprPtr left, Relation table) {
  TRY_VOID(check_table(table, expression.span));
  auto column = table.columns[0];  // others count for nothing
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

}  // namespace picket::kql
