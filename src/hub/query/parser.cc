#include "parser.h"

#include <charconv>

#include <fmt/format.h>

namespace picket::hub {
namespace {

Expression operation(Operator op, std::vector<Expression> children) {
  return {.kind = Expression::Kind::operation, .op = op, .children = std::move(children)};
}
Expression constant(JsonValue value) { return {.kind = Expression::Kind::constant, .constant = std::move(value)}; }

std::optional<Operator> comparison_of(std::string_view symbol) {
  constexpr std::pair<std::string_view, Operator> kOperators[] = {
      {"=", Operator::equal},       {"!=", Operator::unequal}, {"<>", Operator::unequal},      {"<", Operator::less},
      {"<=", Operator::less_equal}, {">", Operator::greater},  {">=", Operator::greater_equal}};
  for (const auto& [text, op] : kOperators) {
    if (text == symbol) return op;
  }
  return std::nullopt;
}

// Words that cannot begin a path: what was meant is a clause or an operator in
// the wrong place.
bool is_reserved(std::string_view word) {
  for (const std::string_view one :
       {"SELECT", "FROM", "WHERE", "GROUP", "ORDER", "TOP", "AS", "AND", "OR", "NOT", "IN", "NIN", "BY"}) {
    if (equal_ignoring_case(word, one)) return true;
  }
  return false;
}

bool is_step(const FieldPath& path, std::size_t at, std::string_view name) {
  return at < path.steps.size() && !path.steps[at].index && equal_ignoring_case(path.steps[at].name, name);
}

// devices.jobs.jobId is jobId: the collection's name may stand before a path.
void drop_collection(FieldPath& path) {
  if (path.steps.size() < 2 || !is_step(path, 0, "devices")) return;
  const bool inner = path.steps.size() > 2 && (is_step(path, 1, "jobs") || is_step(path, 1, "modules"));
  path.steps.erase(path.steps.begin(), path.steps.begin() + (inner ? 2 : 1));
}

}  // namespace

const Token& Parser::peek(std::size_t ahead) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }

bool Parser::at_word(std::string_view word, std::size_t ahead) const {
  return peek(ahead).kind == TokenKind::name && equal_ignoring_case(peek(ahead).text, word);
}
bool Parser::at_symbol(std::string_view symbol, std::size_t ahead) const {
  return peek(ahead).kind == TokenKind::symbol && peek(ahead).text == symbol;
}
bool Parser::take_word(std::string_view word) {
  if (!at_word(word)) return false;
  take();
  return true;
}
bool Parser::take_symbol(std::string_view symbol) {
  if (symbol == "]" && at_symbol("]]")) {  // two brackets that close one behind the other: [a[0]]
    tokens_[at_].text = "]";
    ++tokens_[at_].offset;
    return true;
  }
  if (!at_symbol(symbol)) return false;
  take();
  return true;
}
Token Parser::take() {
  const Token& token = peek();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}
std::unexpected<HubError> Parser::error(std::string_view what) const { return error_at(peek(), what); }
std::unexpected<HubError> Parser::error_at(const Token& token, std::string_view what) const {
  return std::unexpected(query_error(text_, token.offset, what));
}
std::string Parser::here() const {
  return peek().kind == TokenKind::end ? "the end" : fmt::format("'{}'", peek().text.substr(0, 64));
}
HubResult<> Parser::expect_symbol(std::string_view symbol, std::string_view why) {
  if (take_symbol(symbol)) return {};
  return error(fmt::format("expected '{}' {}, found {}.", symbol, why, here()));
}

HubResult<> Parser::enter() {
  if (++depth_ > kQueryDepthMax) return error("the expression is nested deeper than 64 levels; write it flatter.");
  return {};
}
HubResult<> Parser::count() {
  if (++nodes_ > kQueryNodesMax) return error("the text has more than 8192 parts; use IN [...], or several queries.");
  return {};
}

HubResult<Expression> Parser::expression() {
  QUERY_TRY_VOID(enter());
  auto out = chain_of_or();
  leave();
  return out;
}

HubResult<Expression> Parser::chain_of_or() {
  QUERY_TRY(Expression first, chain_of_and());
  if (!at_word("OR")) return first;
  std::vector<Expression> children;
  children.push_back(std::move(first));
  while (take_word("OR")) {
    QUERY_TRY(Expression next, chain_of_and());
    children.push_back(std::move(next));
  }
  return operation(Operator::any, std::move(children));
}

HubResult<Expression> Parser::chain_of_and() {
  QUERY_TRY(Expression first, negation());
  if (!at_word("AND")) return first;
  std::vector<Expression> children;
  children.push_back(std::move(first));
  while (take_word("AND")) {
    QUERY_TRY(Expression next, negation());
    children.push_back(std::move(next));
  }
  return operation(Operator::all, std::move(children));
}

HubResult<Expression> Parser::negation() {
  if (!at_word("NOT")) return comparison();
  QUERY_TRY_VOID(enter());
  take();
  QUERY_TRY(Expression inner, negation());
  leave();
  std::vector<Expression> children;
  children.push_back(std::move(inner));
  return operation(Operator::negate, std::move(children));
}

HubResult<Expression> Parser::comparison() {
  QUERY_TRY(Expression left, sum());
  if (take_word("IN")) return membership(std::move(left), false);
  if (take_word("NIN")) return membership(std::move(left), true);
  if (at_word("NOT") && at_word("IN", 1)) {
    take();
    take();
    return membership(std::move(left), true);
  }
  const auto op = peek().kind == TokenKind::symbol ? comparison_of(peek().text) : std::nullopt;
  if (!op) return left;
  take();
  QUERY_TRY(Expression right, sum());
  if (peek().kind == TokenKind::symbol && comparison_of(peek().text)) {
    return error("comparisons cannot be chained; join two with AND.");
  }
  std::vector<Expression> children;
  children.push_back(std::move(left));
  children.push_back(std::move(right));
  return operation(*op, std::move(children));
}

HubResult<Expression> Parser::membership(Expression left, bool negated) {
  const bool round = at_symbol("(");
  if (!round && !at_symbol("["))
    return error(fmt::format("expected '[' after IN, found {}; write IN ['a', 'b'].", here()));
  std::vector<Expression> children;
  children.push_back(std::move(left));
  take();
  const std::string_view close = round ? ")" : "]";
  while (!take_symbol(close)) {
    if (children.size() > 1) QUERY_TRY_VOID(expect_symbol(",", "between the values of IN"));
    QUERY_TRY(Expression item, sum());
    children.push_back(std::move(item));
  }
  return operation(negated ? Operator::not_in : Operator::in, std::move(children));
}

HubResult<Expression> Parser::sum() {
  QUERY_TRY(Expression first, product());
  if (!at_symbol("+") && !at_symbol("-")) return first;
  Expression out = operation(Operator::arithmetic, {});
  out.children.push_back(std::move(first));
  while (at_symbol("+") || at_symbol("-")) {
    out.signs += take().text;
    QUERY_TRY(Expression next, product());
    out.children.push_back(std::move(next));
  }
  return out;
}

HubResult<Expression> Parser::product() {
  QUERY_TRY(Expression first, sign());
  if (!at_symbol("*") && !at_symbol("/") && !at_symbol("%")) return first;
  Expression out = operation(Operator::arithmetic, {});
  out.children.push_back(std::move(first));
  while (at_symbol("*") || at_symbol("/") || at_symbol("%")) {
    out.signs += take().text;
    QUERY_TRY(Expression next, sign());
    out.children.push_back(std::move(next));
  }
  return out;
}

HubResult<Expression> Parser::sign() {
  if (!at_symbol("-") && !at_symbol("+")) return primary();
  QUERY_TRY_VOID(enter());
  const bool minus = take().text == "-";
  QUERY_TRY(Expression inner, sign());
  leave();
  if (!minus) return inner;
  if (inner.kind == Expression::Kind::constant && inner.constant.number() != nullptr) {
    const std::string& digits = inner.constant.number()->text;
    return constant(JsonNumber{digits.starts_with('-') ? digits.substr(1) : "-" + digits});
  }
  std::vector<Expression> children;
  children.push_back(std::move(inner));
  return operation(Operator::minus, std::move(children));
}

HubResult<Expression> Parser::primary() {
  QUERY_TRY_VOID(count());
  if (peek().kind == TokenKind::number) return constant(JsonNumber{take().text});
  if (peek().kind == TokenKind::string) return constant(take().text);
  if (at_symbol("(")) {
    take();
    QUERY_TRY(Expression inner, expression());
    QUERY_TRY_VOID(expect_symbol(")", "to close the parenthesis"));
    return inner;
  }
  if (at_symbol("[")) return array();
  if (peek().kind != TokenKind::name && !at_symbol("[[")) {
    return error(fmt::format("expected a value, found {}.", here()));
  }
  if (at_symbol("(", 1)) return call();
  if (take_word("true")) return constant(true);
  if (take_word("false")) return constant(false);
  if (take_word("null")) return constant(JsonValue());
  if (take_word("undefined")) return Expression{.kind = Expression::Kind::undefined};
  QUERY_TRY(FieldPath steps, path());
  return Expression{.kind = Expression::Kind::path, .path = std::move(steps)};
}

HubResult<Expression> Parser::array() {
  QUERY_TRY_VOID(enter());
  take();
  Expression out = operation(Operator::array, {});
  while (!take_symbol("]")) {
    if (!out.children.empty()) QUERY_TRY_VOID(expect_symbol(",", "between the values of an array"));
    QUERY_TRY(Expression item, sum());
    out.children.push_back(std::move(item));
  }
  leave();
  return out;
}

HubResult<Expression> Parser::call() {
  QUERY_TRY_VOID(enter());
  const Token name = take();
  const FunctionEntry* const function = find_function(name.text);
  if (function == nullptr) {
    return error_at(name,
                    fmt::format("there is no function '{}'; there are {}.", name.text.substr(0, 64), function_names()));
  }
  take();
  Expression out{.kind = Expression::Kind::call, .function = function};
  while (!take_symbol(")")) {
    if (!out.children.empty()) QUERY_TRY_VOID(expect_symbol(",", "between the arguments"));
    QUERY_TRY(Expression argument, expression());
    out.children.push_back(std::move(argument));
  }
  if (out.children.size() < function->arguments_min || out.children.size() > function->arguments_max) {
    return error_at(name, fmt::format("{} takes {} to {} arguments, not {}.", function->name, function->arguments_min,
                                      function->arguments_max, out.children.size()));
  }
  leave();
  return out;
}

// Behind a path: [0], ['name'] or [[name]].
HubResult<PathStep> Parser::bracket() {
  PathStep step;
  if (take_symbol("[[")) {
    // The name as it is written: what stands between may be any text without
    // "]]".
    const std::size_t start = peek().offset;
    while (!at_symbol("]]")) {
      if (peek().kind == TokenKind::end) return error("'[[' is not closed; write [[name]].");
      take();
    }
    std::string_view name = text_.substr(start, peek().offset - start);
    while (name.ends_with(' ')) name.remove_suffix(1);
    if (name.empty()) return error("a name is missing between [[ and ]].");
    step.name = std::string(name);
    take();
    return step;
  }
  take();
  if (peek().kind == TokenKind::string) {
    step.name = take().text;
  } else {
    const Token index = take();
    std::size_t value = 0;
    const char* const end = index.text.data() + index.text.size();
    const auto [at, failed] = std::from_chars(index.text.data(), end, value);
    if (index.kind != TokenKind::number || failed != std::errc() || at != end) {
      return error_at(index, "expected an index or a quoted name between [ and ].");
    }
    step.index = value;
  }
  QUERY_TRY_VOID(expect_symbol("]", "behind the index"));
  return step;
}

HubResult<> Parser::name_step(FieldPath& out) {
  const Token token = peek();
  if (token.kind == TokenKind::string) {
    out.steps.push_back({take().text, std::nullopt});
    return {};
  }
  if (token.kind != TokenKind::name) return error(fmt::format("expected a name behind '.', found {}.", here()));
  out.steps.push_back({take().text, std::nullopt});
  return {};
}

HubResult<FieldPath> Parser::path() {
  const Token first = peek();
  FieldPath out;
  if (at_symbol("[[")) {
    QUERY_TRY(PathStep step, bracket());
    out.steps.push_back(std::move(step));
  } else {
    if (first.kind != TokenKind::name) return error(fmt::format("expected the name of a property, found {}.", here()));
    if (is_reserved(first.text)) return error(fmt::format("expected a value, found {}.", here()));
    out.steps.push_back({take().text, std::nullopt});
  }
  for (;;) {
    if (out.steps.size() > static_cast<std::size_t>(kQueryDepthMax)) return error("the path has more than 64 steps.");
    if (take_symbol(".")) {
      if (at_symbol("[[")) {
        QUERY_TRY(PathStep step, bracket());
        out.steps.push_back(std::move(step));
      } else {
        QUERY_TRY_VOID(name_step(out));
      }
    } else if (at_symbol("[") || at_symbol("[[")) {
      QUERY_TRY(PathStep step, bracket());
      out.steps.push_back(std::move(step));
    } else {
      break;
    }
  }
  if (dialect_ == Dialect::twins) {
    drop_collection(out);
    return out;
  }
  std::string& name = out.steps.front().name;
  const bool system = name.starts_with('$');
  if (system && equal_ignoring_case(name, "$body")) {
    out.root = FieldPath::Root::body;
  } else if (system && equal_ignoring_case(name, "$twin")) {
    out.root = FieldPath::Root::twin;
  } else {
    out.root = system ? FieldPath::Root::system : FieldPath::Root::application;
    if (system) name.erase(0, 1);
    if (out.steps.size() > 1) {
      return error_at(first,
                      "message properties have no parts; only $body and $twin do. Put names with dots into [[ ]].");
    }
    return out;
  }
  out.steps.erase(out.steps.begin());
  if (out.steps.empty())
    return error_at(first, fmt::format("{} alone is no value; name a member: {}.path.", first.text, first.text));
  return out;
}

}  // namespace picket::hub
