#include "parser.h"

#include <algorithm>
#include <array>

#include "contains.h"
#include "parser_state.h"

namespace picket::kql {

namespace {

std::unexpected<Diagnostic> unsupported(Span span, std::string_view what) {
  return diagnose(code::kUnsupported, span, std::string(what) + " is not supported");
}

}  // namespace

Checked<ast::Query> parse(std::string_view text) {
  TRY(auto tokens, tokenize(text));
  return Parser(std::move(tokens)).query();
}

Checked<ast::FunctionPtr> parse_function(std::string_view text) {
  TRY(auto tokens, tokenize(text));
  return Parser(std::move(tokens)).lone_function();
}

Checked<ast::FunctionPtr> Parser::lone_function() {
  TRY(auto out, function());
  if (!at_end()) return expected("the end of the function");
  return out;
}

// --- tokens

const Token& Parser::peek(std::size_t ahead) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }

bool Parser::at(std::string_view text, std::size_t ahead) const {
  const auto& token = peek(ahead);
  return (token.kind == TokenKind::identifier || token.kind == TokenKind::punctuation) && token.text == text;
}

const Token& Parser::take() {
  const auto& token = peek();
  if (token.kind != TokenKind::end) ++at_;
  return token;
}

bool Parser::accept(std::string_view text) {
  if (!at(text)) return false;
  take();
  return true;
}

Checked<Span> Parser::expect(std::string_view text, std::string_view where) {
  if (at(text)) return take().span;
  return expected("'" + std::string(text) + "' " + std::string(where));
}

std::unexpected<Diagnostic> Parser::expected(std::string_view what) const {
  const auto& token = peek();
  const auto found = token.kind == TokenKind::end ? std::string("the end of the query")
                                                  : "'" + std::string(token.text.substr(0, 40)) + "'";
  return diagnose(code::kSyntax, token.span, "expected " + std::string(what) + " instead of " + found);
}

std::unexpected<Diagnostic> Parser::too_deep() const {
  return diagnose(code::kLimit, peek().span,
                  "the query is nested deeper than " + std::to_string(kNestingMax) + " levels");
}

Span Parser::since(std::size_t start) const {
  return at_ == 0 ? Span{start, 0} : Span{start, std::max(tokens_[at_ - 1].span.end(), start) - start};
}

std::size_t Parser::behind_bracket(std::size_t ahead) const {
  std::size_t depth = 0;
  std::size_t i = at_ + ahead;
  for (; i + 1 < tokens_.size(); ++i) {
    const auto& token = tokens_[i];
    if (token.kind != TokenKind::punctuation) continue;
    if (token.text == "(" || token.text == "[" || token.text == "{") ++depth;
    if ((token.text == ")" || token.text == "]" || token.text == "}") && --depth == 0) return i + 1;
  }
  return i;
}

bool Parser::has_pipe_ahead() const {
  for (std::size_t i = at_; i + 1 < tokens_.size();) {
    const auto& token = tokens_[i];
    if (token.kind == TokenKind::punctuation) {
      if (token.text == "|") return true;
      if (token.text == ";" || token.text == ")" || token.text == "," || token.text == "]" || token.text == "}")
        return false;
      if (token.text == "(" || token.text == "[" || token.text == "{") {
        i = behind_bracket(i - at_);
        continue;
      }
    }
    ++i;
  }
  return false;
}

bool Parser::starts_table() const {
  if (at("datatable") || at("materialize") || at("externaldata") || at("external_data")) return at("(", 1);
  if (at("range")) return peek(1).kind == TokenKind::identifier && at("from", 2);
  if (at("search") || at("find")) return !at("(", 1) && !at(";", 1) && !at(")", 1) && peek(1).kind != TokenKind::end;
  if (at("print") || at("union")) {
    return !at(";", 1) && !at(")", 1) && !at("|", 1) && peek(1).kind != TokenKind::end && !at(".", 1) && !at(",", 1);
  }
  if (has_pipe_ahead()) return true;
  if (!at("(")) return false;
  // "(T | count)" but not "(a) + 1": a bracket that holds a pipe and is the whole part.
  const auto& behind = tokens_[behind_bracket(0)];
  if (behind.kind != TokenKind::end && behind.text != ";" && behind.text != ")" && behind.text != ",") return false;
  std::size_t first = 1;
  while (at("(", first)) ++first;
  for (const auto word : {"datatable", "externaldata", "external_data", "materialize"}) {
    if (at(word, first)) return at("(", first + 1);
  }
  const auto next = peek(first + 1).kind;
  if ((at("union", first) || at("print", first)) && next != TokenKind::punctuation && next != TokenKind::end)
    return true;
  // The pipe stands in one of the brackets that begin here, not in a table within an expression.
  for (std::size_t bracket = 0; bracket < first; ++bracket) {
    const auto end = behind_bracket(bracket);
    for (std::size_t i = at_ + bracket + 1; i + 1 < end; ++i) {
      if (tokens_[i].kind != TokenKind::punctuation) continue;
      if (tokens_[i].text == "|") return true;
      if (tokens_[i].text == "(" || tokens_[i].text == "[" || tokens_[i].text == "{") i = behind_bracket(i - at_) - 1;
    }
  }
  return false;
}

// --- statements

Checked<ast::Query> Parser::query() {
  ast::Query out;
  bool has_result = false;
  for (;;) {
    while (accept(";")) {
    }
    if (at_end()) break;
    if (at("let") && !at("|", 1) && !at(";", 1)) {
      TRY(auto declared, let());
      out.statements.emplace_back(std::move(declared));
    } else if (at("set") && peek(1).kind == TokenKind::identifier) {
      TRY_VOID(set_statement(out));
    } else if (at("declare") && peek(1).kind == TokenKind::identifier) {
      TRY_VOID(declare_statement(out));
    } else if ((at("alias") && at("database", 1)) || (at("restrict") && at("access", 1))) {
      return unsupported(cover(peek().span, peek(1).span), "the statement '" + std::string(peek().text) + "'");
    } else {
      TRY(auto result, pipeline());
      out.statements.emplace_back(std::move(result));
      has_result = true;
      if (out.statements.size() > kPlanNodesMax) return too_deep();
    }
    if (!at(";") && !at_end()) return expected("'|', ';' or the end of the query");
  }
  if (!has_result) return expected("a table or another tabular expression");
  return out;
}

Checked<ast::Let> Parser::let() {
  take();
  TRY(auto declared, name("a name after 'let'"));
  TRY_VOID(expect("=", "after the name of a 'let' statement"));
  if ((at("(") && tokens_[behind_bracket(0)].text == "{") || (at("view") && at("(", 1))) {
    TRY(auto value, function());
    return ast::Let{std::move(declared), std::move(value)};
  }
  if (starts_table()) {
    TRY(auto value, pipeline());
    return ast::Let{std::move(declared), std::move(value)};
  }
  TRY(auto value, expression());
  return ast::Let{std::move(declared), std::move(value)};
}

Checked<> Parser::set_statement(ast::Query& out) {
  take();
  const auto& property = take();
  ast::Property set{std::string(property.text), {}, property.span};
  if (accept("=")) {
    if (peek().kind != TokenKind::literal && peek().kind != TokenKind::string && peek().kind != TokenKind::identifier) {
      return expected("a value for the request property");
    }
    const auto& value = take();
    const auto* text = value.kind == TokenKind::string ? std::get_if<std::string>(&value.value.data) : nullptr;
    set.value = text != nullptr ? *text : std::string(value.text);
    set.span = cover(set.span, value.span);
  }
  out.properties.push_back(std::move(set));
  return {};
}

Checked<> Parser::declare_statement(ast::Query& out) {
  take();
  if (!at("query_parameters")) return unsupported(peek().span, "'declare " + std::string(peek().text) + "'");
  take();
  TRY_VOID(expect("(", "after query_parameters"));
  do {
    TRY(auto declared, name("a parameter name"));
    TRY_VOID(expect(":", "and a type after the parameter name"));
    const auto type = type_of_name(peek().text);
    if (!type) return expected("a type");
    take();
    ast::ExpressionPtr fallback;
    if (accept("=")) {
      TRY(fallback, expression());
    }
    out.statements.emplace_back(ast::Parameter{std::move(declared), *type, std::move(fallback)});
  } while (accept(","));
  TRY_VOID(expect(")", "at the end of query_parameters"));
  return {};
}

// --- tabular expressions

Checked<ast::PipelinePtr> Parser::pipeline() {
  const Level level(*this);
  if (level.too_deep()) return too_deep();
  auto out = std::make_unique<ast::Pipeline>();
  const std::size_t start = peek().span.start;
  TRY_VOID(source(*out));
  while (accept("|")) {
    TRY(auto op, pipe_operator());
    out->operators.push_back(std::move(op));
    if (out->operators.size() > kPlanNodesMax) {
      return diagnose(code::kLimit, out->operators.back().span,
                      "more than " + std::to_string(kPlanNodesMax) + " operators");
    }
  }
  out->span = since(start);
  return out;
}

Checked<ast::PipelinePtr> Parser::bracketed_pipeline() {
  TRY_VOID(expect("(", "before a tabular expression"));
  TRY(auto inner, pipeline());
  TRY_VOID(expect(")", "after a tabular expression"));
  return inner;
}

Checked<> Parser::source(ast::Pipeline& out) {
  const bool alone = at("|", 1) || at(";", 1) || at(")", 1) || at(",", 1) || peek(1).kind == TokenKind::end;
  if (at("(")) {
    TRY(out.source, bracketed_pipeline());
  } else if (at("materialize") && at("(", 1)) {
    take();  // the plan has no side effects: to compute it once or twice gives the same rows
    TRY(out.source, bracketed_pipeline());
  } else if (at("datatable") && at("(", 1)) {
    TRY(out.source, datatable());
  } else if (at("print") && !alone) {
    TRY(out.source, print());
  } else if (at("range") && !alone) {
    TRY(out.source, range());
  } else if (at("union") && !alone) {
    take();
    TRY(out.source, union_branches());
  } else if (at("search") && !alone && !at("(", 1)) {
    take();
    TRY(out.source, search());
  } else if (at("find") && !alone && !at("(", 1)) {
    take();
    TRY(out.source, find());
  } else if ((at("externaldata") || at("external_data")) && at("(", 1)) {
    TRY(out.source, external_data());
  } else if ((at("macro-expand") || at("evaluate")) && !alone) {
    return unsupported(peek().span, "'" + std::string(peek().text) + "' as a table");
  } else if (peek().kind == TokenKind::identifier && at("(", 1)) {
    TRY(auto called, call());
    if (at(".")) return unsupported(called->span, "a table of another database or workspace");
    out.source = ast::TableCall{std::move(called)};
  } else {
    TRY(auto table, name("a table or another tabular expression", NameUse::referred));
    out.source = ast::TableName{std::move(table)};
  }
  return {};
}

Checked<ast::Print> Parser::print() {
  take();
  TRY(auto columns, assignments());
  return ast::Print{std::move(columns)};
}

Checked<ast::Datatable> Parser::datatable() {
  take();
  ast::Datatable out;
  TRY_VOID(expect("(", "after datatable"));
  while (!at(")")) {
    TRY(auto column, name("a column name"));
    TRY_VOID(expect(":", "and a type after the column name"));
    const auto type = peek().kind == TokenKind::identifier ? type_of_name(peek().text) : std::nullopt;
    if (!type) return expected("a type");
    take();
    out.columns.emplace_back(std::move(column), *type);
    if (!accept(",")) break;
  }
  TRY_VOID(expect(")", "after the columns of a datatable"));
  TRY_VOID(expect("[", "before the values of a datatable"));
  while (!at("]")) {
    TRY(auto cell, expression());
    out.cells.push_back(std::move(cell));
    if (out.cells.size() > kDatatableCellsMax) {
      return diagnose(code::kLimit, out.cells.back()->span,
                      "a datatable of more than " + std::to_string(kDatatableCellsMax) + " values");
    }
    if (!accept(",")) break;
  }
  TRY_VOID(expect("]", "after the values of a datatable"));
  return out;
}

Checked<ast::Range> Parser::range() {
  take();
  ast::Range out;
  TRY(out.name, name("a column name"));
  TRY_VOID(expect("from", "in range"));
  TRY(out.first, expression());
  TRY_VOID(expect("to", "in range"));
  TRY(out.last, expression());
  TRY_VOID(expect("step", "in range"));
  TRY(out.step, expression());
  return out;
}

}  // namespace picket::kql
