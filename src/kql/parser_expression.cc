// Names and expressions. Precedence, lowest first (kql.md section 2.4): or, and, equality and membership, relational,
// additive, multiplicative, string operators, sign, path.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/core/json_writer.h"
#include "contains.h"
#include "kql/native_functions.h"
#include "parser_state.h"

namespace picket::kql {

namespace {

using namespace std::string_view_literals;
using ast::Expression;
using ast::ExpressionPtr;

constexpr std::array kStringOperators = {"=~"sv,         "!~"sv,           "has"sv,           "!has"sv,
                                         "has_cs"sv,     "!has_cs"sv,      "hascs"sv,         "hasprefix"sv,
                                         "!hasprefix"sv, "hasprefix_cs"sv, "!hasprefix_cs"sv, "hassuffix"sv,
                                         "!hassuffix"sv, "hassuffix_cs"sv, "!hassuffix_cs"sv, "contains"sv,
                                         "!contains"sv,  "contains_cs"sv,  "!contains_cs"sv,  "containscs"sv,
                                         "startswith"sv, "!startswith"sv,  "startswith_cs"sv, "!startswith_cs"sv,
                                         "endswith"sv,   "!endswith"sv,    "endswith_cs"sv,   "!endswith_cs"sv,
                                         ":"sv};

constexpr std::array kStringOperatorsNotSupported = {"like"sv,        "notlike"sv,       "likecs"sv, "notlikecs"sv,
                                                     "notcontains"sv, "notcontainscs"sv, "nothas"sv, "has_any~"sv};

constexpr std::array kMembership = {"in"sv, "!in"sv, "in~"sv, "!in~"sv, "has_any"sv, "has_all"sv};

ExpressionPtr make(Expression::Kind kind, Span span) {
  auto out = std::make_unique<Expression>();
  out->kind = kind;
  out->span = span;
  out->text_span = span;
  return out;
}

ExpressionPtr make_binary(const Token& op, ExpressionPtr left, ExpressionPtr right) {
  auto out = make(Expression::Kind::binary, cover(left->span, right->span));
  out->text = op.text;
  out->text_span = op.span;
  out->children.push_back(std::move(left));
  out->children.push_back(std::move(right));
  return out;
}

/// Wraps for the smallest number (only hexadecimal writes it), as the language's own minus does.
std::int64_t negated(std::int64_t value, bool negative) {
  return negative ? static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(value)) : value;
}

}  // namespace

// --- names

std::optional<Diagnostic> Parser::bracket_wanted(const Token& token, NameUse use) {
  if (!needs_brackets(token.text, use)) return std::nullopt;
  const std::string word(token.text);
  return diagnose(code::kSyntax, token.span,
                  "'" + word + "' is a word of the language here; as a name it is written ['" + word + "']")
      .error();
}

Checked<ast::Name> Parser::word(std::string_view what) {
  if (peek().kind != TokenKind::identifier) return expected(what);
  const auto& token = take();
  return ast::Name{std::string(token.text), token.span};
}

Checked<ast::Name> Parser::name(std::string_view what, NameUse use) {
  if (peek().kind == TokenKind::identifier) {
    if (auto wrong = bracket_wanted(peek(), use)) return std::unexpected(*std::move(wrong));
    return word(what);
  }
  if (at("[") && peek(1).kind == TokenKind::string && at("]", 2)) {
    const auto first = take().span;
    auto text = std::get<std::string>(take().value.data);
    return ast::Name{std::move(text), cover(first, take().span)};
  }
  return expected(what);
}

/// A name whose parts without blanks between them may hold '*': s*, *Id, a*b.
Checked<ast::Name> Parser::name_pattern() {
  if (!at("*") && !(at("*", 1) && peek(1).span.start == peek().span.end())) {
    return name("a column name or pattern", NameUse::referred);
  }
  ast::Name out{{}, peek().span, true};
  const auto part = [this] {  // *1 is a star and a number to the lexer
    return at("*") || peek().kind == TokenKind::identifier || peek().kind == TokenKind::literal;
  };
  do {
    out.text += peek().text;
    out.span = cover(out.span, take().span);
  } while (part() && peek().span.start == out.span.end());
  return out;
}

Checked<std::vector<ast::Assignment>> Parser::assignments() {
  std::vector<ast::Assignment> out;
  do {
    TRY(auto next, assignment());
    out.push_back(std::move(next));
    if (out.size() > kColumnsMax) {
      return diagnose(code::kLimit, out.back().value->span, "more than " + std::to_string(kColumnsMax) + " columns");
    }
  } while (accept(","));
  return out;
}

Checked<ast::Assignment> Parser::assignment() {
  ast::Assignment out;
  const bool bracketed_name = at("[") && peek(1).kind == TokenKind::string && at("]", 2) && at("=", 3);
  if (bracketed_name || (peek().kind == TokenKind::identifier && at("=", 1))) {
    TRY(auto single, name("a column name"));
    out.names.push_back(std::move(single));
    take();
  } else if (at("(") && tokens_[behind_bracket(0)].kind == TokenKind::punctuation &&
             tokens_[behind_bracket(0)].text == "=") {
    take();
    do {
      TRY(auto one, name("a column name"));
      out.names.push_back(std::move(one));
    } while (accept(","));
    TRY_VOID(expect(")", "after the column names"));
    take();
  }
  TRY(out.value, expression());
  return out;
}

// --- operators

Checked<ExpressionPtr> Parser::expression() {
  const Level level(*this);
  if (level.too_deep()) return too_deep();
  return logical(true);
}

Checked<ExpressionPtr> Parser::logical(bool is_or) {
  const std::string_view word = is_or ? "or" : "and";
  TRY(auto first, is_or ? logical(false) : equality());
  if (!at(word)) return first;
  // One flat node: a chain of a thousand conditions is not a thousand levels.
  auto out = make(Expression::Kind::logical, first->span);
  out->text = word;
  out->text_span = peek().span;
  out->children.push_back(std::move(first));
  while (accept(word)) {
    TRY(auto next, is_or ? logical(false) : equality());
    out->span = cover(out->span, next->span);
    out->children.push_back(std::move(next));
  }
  return out;
}

Checked<ExpressionPtr> Parser::equality() {
  TRY(auto left, relational());
  if (at("==") || at("!=") || at("<>")) {
    const auto& op = take();
    TRY(auto right, relational());
    left = make_binary(op, std::move(left), std::move(right));
  } else if (at("between") || at("!between")) {
    return between(std::move(left));
  } else if (std::ranges::any_of(kMembership, [this](auto op) { return at(op); })) {
    return membership(std::move(left));
  }
  if (at("==") || at("!=") || at("<>")) return expected("no second comparison (use brackets and 'and')");
  return left;
}

Checked<ExpressionPtr> Parser::membership(ExpressionPtr left) {
  const auto& op = take();
  auto out = make(Expression::Kind::list, left->span);
  out->text = op.text;
  out->text_span = op.span;
  out->children.push_back(std::move(left));
  TRY_VOID(expect("(", "after '" + std::string(op.text) + "'"));
  if (starts_table()) {
    TRY(out->table, pipeline());
  } else {
    do {
      TRY(auto item, expression());
      out->children.push_back(std::move(item));
    } while (accept(","));
  }
  TRY(const auto close, expect(")", "at the end of the list"));
  out->span = cover(out->span, close);
  return out;
}

Checked<ExpressionPtr> Parser::between(ExpressionPtr left) {
  const auto& op = take();
  auto out = make(Expression::Kind::between, left->span);
  out->text = op.text;
  out->text_span = op.span;
  out->children.push_back(std::move(left));
  TRY_VOID(expect("(", "after '" + std::string(op.text) + "'"));
  TRY(auto low, expression());
  TRY_VOID(expect("..", "between the two bounds"));
  TRY(auto high, expression());
  TRY(const auto close, expect(")", "after the bounds"));
  out->children.push_back(std::move(low));
  out->children.push_back(std::move(high));
  out->span = cover(out->span, close);
  return out;
}

Checked<ExpressionPtr> Parser::relational() {
  const auto here = [this] { return at("<") || at(">") || at("<=") || at(">="); };
  TRY(auto left, arithmetic(true));
  if (here()) {
    const auto& op = take();
    TRY(auto right, arithmetic(true));
    left = make_binary(op, std::move(left), std::move(right));
  }
  if (here()) return expected("no second comparison (use brackets and 'and')");
  return left;
}

Checked<ExpressionPtr> Parser::arithmetic(bool additive) {
  const auto here = [this, additive] { return additive ? at("+") || at("-") : at("*") || at("/") || at("%"); };
  TRY(auto left, additive ? arithmetic(false) : string_comparison());
  for (std::size_t links = 0; here(); ++links) {
    if (links > kExpressionDepthMax) return too_deep();
    const auto& op = take();
    TRY(auto right, additive ? arithmetic(false) : string_comparison());
    left = make_binary(op, std::move(left), std::move(right));
  }
  return left;
}

Checked<ExpressionPtr> Parser::string_comparison() {
  TRY(auto left, unary());
  if (at("matches") && at("regex", 1)) {
    auto op = take();
    op.span = cover(op.span, take().span);
    op.text = "matches regex";
    TRY(auto right, unary());
    return make_binary(op, std::move(left), std::move(right));
  }
  if (std::ranges::any_of(kStringOperatorsNotSupported, [this](auto op) { return at(op); })) {
    return diagnose(code::kUnsupported, peek().span,
                    "the operator '" + std::string(peek().text) + "' is not supported");
  }
  if (std::ranges::any_of(kStringOperators, [this](auto op) { return at(op); })) {
    const auto& op = take();
    TRY(auto right, unary());
    left = make_binary(op, std::move(left), std::move(right));
  }
  return left;
}

Checked<ExpressionPtr> Parser::unary() {
  if (!at("-") && !at("+")) return postfix();
  const Level level(*this);
  if (level.too_deep()) return too_deep();
  const auto& op = take();
  if (at("-") || at("+")) {
    return diagnose(code::kSyntax, peek().span, "one sign at a time: write -(-x)");
  }
  TRY(auto operand, unary());
  // A signed literal is a literal: the smallest long has no positive twin, and dynamic or datatable want constants.
  auto out = make(Expression::Kind::unary, cover(op.span, operand->span));
  out->text = op.text;
  out->text_span = op.span;
  out->children.push_back(std::move(operand));
  return out;
}

Checked<ExpressionPtr> Parser::postfix() {
  TRY(auto base, primary());
  for (std::size_t links = 0;; ++links) {
    if (links > kExpressionDepthMax) return too_deep();
    if (at(".") && at("[", 1)) take();  // d.["key"]
    if (accept(".")) {
      TRY(auto key, name("a property name after '.'", NameUse::referred));
      auto out = make(Expression::Kind::member, cover(base->span, key.span));
      out->text = std::move(key.text);
      out->text_span = key.span;
      out->children.push_back(std::move(base));
      base = std::move(out);
    } else if (at("[")) {
      take();
      TRY(auto key, expression());
      TRY(const auto close, expect("]", "after an index"));
      auto out = make(Expression::Kind::index, cover(base->span, close));
      out->children.push_back(std::move(base));
      out->children.push_back(std::move(key));
      base = std::move(out);
    } else {
      return base;
    }
  }
}

// --- primaries

Checked<ExpressionPtr> Parser::primary() {
  const auto& token = peek();
  if (token.kind == TokenKind::string) return string_literal();
  if (token.kind == TokenKind::literal) {
    auto out = make(Expression::Kind::literal, token.span);
    out->literal = take().value;
    return out;
  }
  if (at("(")) {
    take();
    TRY(auto inner, expression());
    TRY_VOID(expect(")", "to close the bracket"));
    return inner;
  }
  if (at("*")) return make(Expression::Kind::star, take().span);
  if (at("[") && peek(1).kind == TokenKind::string) {
    TRY(auto quoted, name("a column name"));
    auto out = make(Expression::Kind::name, quoted.span);
    out->text = std::move(quoted.text);
    return out;
  }
  if (token.kind != TokenKind::identifier) return expected("an expression");
  if (at("dynamic") && at("(", 1)) return dynamic_literal();
  if (at("typeof") && at("(", 1)) return type_of();
  if (at("(", 1)) return call();
  constexpr std::array kTrue = {"true"sv, "True"sv, "TRUE"sv};
  constexpr std::array kFalse = {"false"sv, "False"sv, "FALSE"sv};
  const bool is_true = contains(kTrue, token.text);
  if (is_true || contains(kFalse, token.text)) {
    auto out = make(Expression::Kind::literal, take().span);
    out->literal = {Type::boolean, is_true};
    return out;
  }
  if (auto wrong = bracket_wanted(token, NameUse::referred)) return std::unexpected(*std::move(wrong));
  auto out = make(Expression::Kind::name, take().span);
  out->text = token.text;
  return out;
}

Checked<ExpressionPtr> Parser::call() {
  const auto& function = take();
  auto out = make(Expression::Kind::call, function.span);
  out->text = function.text;
  out->text_span = function.span;
  take();
  while (!at(")")) {
    ast::Assignment argument;
    if (starts_table()) {
      argument.value = make(Expression::Kind::sub_query, peek().span);
      TRY(argument.value->table, pipeline());
      argument.value->span = argument.value->table->span;
    } else {
      TRY(argument, assignment());
    }
    out->arguments.push_back(std::move(argument));
    if (!accept(",")) break;
  }
  TRY(const auto close, expect(")", "after the arguments of " + std::string(function.text) + "()"));
  out->span = cover(out->span, close);
  return out;
}

Checked<ExpressionPtr> Parser::type_of() {
  auto out = make(Expression::Kind::type_of, take().span);
  take();
  const auto type = peek().kind == TokenKind::identifier ? type_of_name(peek().text) : std::nullopt;
  if (!type) return expected("a type");
  take();
  out->type = *type;
  TRY(const auto close, expect(")", "after the type"));
  out->span = cover(out->span, close);
  return out;
}

/// Literals that stand side by side are one: "a" 'b' is "ab".
Checked<ExpressionPtr> Parser::string_literal() {
  auto out = make(Expression::Kind::literal, peek().span);
  std::string text;
  while (peek().kind == TokenKind::string) {
    text += std::get<std::string>(peek().value.data);
    out->span = cover(out->span, take().span);
  }
  out->literal = {Type::string, std::move(text)};
  return out;
}

// --- dynamic literals: JSON whose scalars may be literals of the language

Checked<ExpressionPtr> Parser::dynamic_literal() {
  auto out = make(Expression::Kind::literal, take().span);
  take();
  std::string json;
  TRY_VOID(json_value(json));
  TRY(const auto close, expect(")", "after a dynamic literal"));
  out->span = cover(out->span, close);
  out->literal = json == "null" ? Value{Type::dynamic, std::monostate{}} : Value{Type::dynamic, std::move(json)};
  return out;
}

Checked<> Parser::json_value(std::string& out) {
  const Level level(*this);
  if (level.too_deep()) return too_deep();
  if (at("dynamic") && at("(", 1)) {
    take();
    take();
    TRY_VOID(json_value(out));
    TRY_VOID(expect(")", "after a dynamic literal"));
    return {};
  }
  if (at("[") || at("{")) return json_container(out, take().text == "{");
  const bool negative = accept("-");
  if (!negative) accept("+");
  const auto& token = peek();
  if (token.kind == TokenKind::string && !negative) {
    TRY(const auto text, string_literal());
    append_json_string(out, std::get<std::string>(text->literal.data));
    return {};
  }
  if (token.kind == TokenKind::identifier && !negative && (at("true") || at("false") || at("null"))) {
    out += take().text;
    return {};
  }
  if (token.kind != TokenKind::literal || token.value.is_null()) return expected("a JSON value");
  const auto& data = take().value.data;
  if (const auto* whole = std::get_if<std::int64_t>(&data)) {
    switch (token.value.type) {
      case Type::datetime:
        append_json_string(out, datetime_text(*whole));
        return {};
      case Type::timespan:
        append_json_string(out, timespan_text(negated(*whole, negative)));
        return {};
      default:
        out += std::to_string(negated(*whole, negative));
        return {};
    }
  }
  if (const auto* real = std::get_if<double>(&data); real != nullptr && std::isfinite(*real)) {
    out += (negative ? "-" : "") + real_text(*real);
    return {};
  }
  if (const auto* boolean = std::get_if<bool>(&data)) {
    out += *boolean ? "true" : "false";
    return {};
  }
  if (const auto* text = std::get_if<std::string>(&data)) {
    append_json_string(out, *text);
    return {};
  }
  return diagnose(code::kLiteral, token.span, "JSON has no such number");
}

Checked<> Parser::json_container(std::string& out, bool object) {
  const std::string_view close = object ? "}" : "]";
  out += object ? '{' : '[';
  for (bool first = true; !at(close); first = false) {
    if (!first) out += ',';
    if (object) {
      if (peek().kind != TokenKind::string) return expected("a quoted key");
      append_json_string(out, std::get<std::string>(take().value.data));
      TRY_VOID(expect(":", "after a key"));
      out += ':';
    }
    TRY_VOID(json_value(out));
    if (!accept(",")) break;
  }
  TRY_VOID(expect(close, "to close the dynamic literal"));
  out += close;
  return {};
}

}  // namespace picket::kql
