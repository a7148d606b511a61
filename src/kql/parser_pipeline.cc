// Operators behind a pipe.
#include <algorithm>
#include <array>

#include "contains.h"
#include "parser.h"
#include "parser_state.h"

namespace picket::kql {

namespace {

using namespace std::string_view_literals;

/// In the language, not in Picket: refused by name, so that nobody searches for a typing error.
constexpr std::array kOperatorsNotSupported = {"execute-and-cache"sv, "reduce"sv, "macro-expand"sv, "assert-schema"sv};

std::unexpected<Diagnostic> unsupported(Span span, std::string_view what) {
  return diagnose(code::kUnsupported, span, std::string(what) + " is not supported");
}

}  // namespace

// --- operators

/// Hyphenated names are one word only when written without blanks: `project-away`, not `project - away`.
Checked<std::string> Parser::operator_name(Span& span) {
  if (peek().kind != TokenKind::identifier) return expected("an operator after '|'");
  std::string out(peek().text);
  span = take().span;
  while (at("-") && peek().span.start == span.end() && peek(1).kind == TokenKind::identifier &&
         peek(1).span.start == peek().span.end()) {
    take();
    out += "-" + std::string(peek().text);
    span = cover(span, take().span);
  }
  return out;
}

Checked<ast::Operator> Parser::pipe_operator() {
  ast::Operator out;
  TRY(const auto word, operator_name(out.name_span));
  if (word == "where" || word == "filter") {
    TRY(auto predicate, expression());
    if (at("=")) return diagnose(code::kSyntax, peek().span, "'=' gives a name; '==' compares");
    out.op = ast::Where{std::move(predicate)};
  } else if (word == "extend") {
    TRY(auto columns, assignments());
    out.op = ast::Extend{std::move(columns)};
  } else if (word == "project") {
    TRY(auto columns, assignments());
    out.op = ast::Project{std::move(columns)};
  } else if (word == "project-away") {
    TRY(auto columns, name_patterns());
    out.op = ast::ProjectAway{std::move(columns)};
  } else if (word == "project-keep") {
    TRY(auto columns, name_patterns());
    out.op = ast::ProjectKeep{std::move(columns)};
  } else if (word == "project-rename") {
    TRY(out.op, project_rename());
  } else if (word == "project-reorder") {
    TRY(out.op, project_reorder());
  } else if (word == "summarize") {
    TRY(out.op, summarize());
  } else if (word == "sort" || word == "order") {
    TRY_VOID(skip_hints());
    TRY_VOID(expect("by", "after " + word));
    TRY(auto keys, sort_keys());
    out.op = ast::Sort{std::move(keys)};
  } else if (word == "take" || word == "limit") {
    TRY(auto rows, expression());
    out.op = ast::Take{std::move(rows)};
  } else if (word == "top") {
    TRY(out.op, top());
  } else if (word == "distinct") {
    TRY(out.op, distinct());
  } else if (word == "count") {
    TRY(out.op, count());
  } else if (word == "as") {
    TRY_VOID(skip_hints());
    TRY(auto alias, name("a name after 'as'"));
    out.op = ast::As{std::move(alias)};
  } else if (word == "serialize") {
    ast::Serialize serialize;
    if (!at("|") && !at(";") && !at(")") && !at_end()) {
      TRY(serialize.columns, assignments());
    }
    out.op = std::move(serialize);
  } else if (word == "render") {
    TRY(out.op, render());
  } else if (word == "union") {
    TRY(out.op, union_branches());
  } else if (word == "join" || word == "lookup") {
    TRY(auto joined, join());
    joined.lookup = word == "lookup";
    out.op = std::move(joined);
  } else if (word == "mv-expand" || word == "mvexpand") {
    TRY(out.op, expand(word));
  } else if (word == "mv-apply" || word == "mvapply") {
    TRY(out.op, apply());
  } else if (word == "parse" || word == "parse-where") {
    TRY(out.op, parse_operator(word == "parse-where"));
  } else if (word == "parse-kv") {
    TRY(out.op, parse_kv());
  } else if (word == "search") {
    TRY(out.op, search());
  } else if (word == "make-series") {
    TRY(out.op, make_series());
  } else if (word == "evaluate") {
    TRY(out.op, evaluate());
  } else if (word == "top-nested") {
    TRY(out.op, top_nested());
  } else if (word == "top-hitters") {
    TRY(out.op, top_hitters());
  } else if (word == "sample" || word == "sample-distinct") {
    TRY(out.op, sample(word == "sample-distinct"));
  } else if (word == "getschema") {
    out.op = ast::GetSchema{};
  } else if (word == "consume") {
    out.op = ast::Consume{};
  } else if (word == "invoke") {
    if (peek().kind != TokenKind::identifier || !at("(", 1)) return expected("a function and its arguments");
    TRY(auto called, call());
    out.op = ast::Invoke{std::move(called)};
  } else if (word == "partition") {
    TRY(out.op, partition());
  } else if (word == "scan") {
    TRY(out.op, scan_steps());
  } else if (word == "make-graph") {
    TRY(out.op, make_graph());
  } else if (word == "graph-match" || word == "graph-shortest-paths") {
    TRY(out.op, graph_match(word == "graph-shortest-paths"));
  } else if (word == "graph-mark-components") {
    TRY(out.op, graph_components());
  } else if (word == "graph-to-table") {
    TRY(out.op, graph_to_table());
  } else if (word == "fork") {
    TRY(out.op, fork());
  } else if (word == "facet") {
    TRY(out.op, facet());
  } else if (contains(kOperatorsNotSupported, word)) {
    return unsupported(out.name_span, "the operator '" + word + "'");
  } else {
    return diagnose(code::kSyntax, out.name_span, "there is no operator '" + word + "'");
  }
  out.span = since(out.name_span.start);
  return out;
}

/// hint.strategy=shuffle and its like tell Microsoft's engine how to work, not what to answer.
Checked<> Parser::skip_hints() {
  while (at("hint") && at(".", 1)) {
    take();
    take();
    TRY_VOID(word("a hint"));
    TRY_VOID(expect("=", "after a hint"));
    take();
  }
  return {};
}

Checked<ast::Summarize> Parser::summarize() {
  ast::Summarize out;
  TRY_VOID(skip_hints());
  const bool only_keys = at("by") && !at("=", 1) && !at("(", 1);
  if (!only_keys) {
    TRY(out.measures, assignments());
  }
  if (accept("by")) {
    TRY(out.keys, assignments());
  }
  return out;
}

Checked<ast::SortKey> Parser::sort_key() {
  ast::SortKey out;
  TRY(out.value, expression());
  if (accept("asc")) {
    out.descending = false;
  } else {
    accept("desc");
  }
  if (accept("nulls")) {
    if (!at("first") && !at("last")) return expected("'first' or 'last' after 'nulls'");
    out.nulls_first = take().text == "first";
  }
  return out;
}

Checked<std::vector<ast::SortKey>> Parser::sort_keys() {
  std::vector<ast::SortKey> out;
  do {
    TRY(auto key, sort_key());
    out.push_back(std::move(key));
  } while (accept(","));
  return out;
}

Checked<ast::Top> Parser::top() {
  ast::Top out;
  TRY(out.count, expression());
  TRY_VOID(expect("by", "after the number of rows of 'top'"));
  TRY(out.key, sort_key());
  return out;
}

Checked<ast::Distinct> Parser::distinct() {
  ast::Distinct out;
  TRY_VOID(skip_hints());
  if (accept("*")) {
    out.all = true;
    return out;
  }
  TRY(out.columns, assignments());
  return out;
}

Checked<ast::Count> Parser::count() {
  ast::Count out;
  if (accept("as")) {
    TRY(out.name, name("a name after 'as'"));
  }
  return out;
}

Checked<ast::Render> Parser::render() {
  ast::Render out;
  TRY(out.chart, word("a chart type after 'render'"));
  const bool bracketed = at("with") && at("(", 1);
  if (bracketed) {
    take();
    take();
  }
  while (peek().kind == TokenKind::identifier && at("=", 1)) {
    std::string key(take().text);
    take();
    std::string value;
    do {  // a property may be a list of columns
      if (peek().kind == TokenKind::string) {
        value += std::get<std::string>(take().value.data);
      } else if (peek().kind == TokenKind::identifier || peek().kind == TokenKind::literal) {
        value += take().text;
      } else {
        return expected("a value for '" + key + "'");
      }
      const bool next_is_property = at(",") && at("=", 2);
      if (!at(",") || next_is_property || !bracketed) break;
      value += ",";
    } while (accept(","));
    out.properties.emplace_back(std::move(key), std::move(value));
    if (bracketed) accept(",");
  }
  if (bracketed) TRY_VOID(expect(")", "after the properties of 'render'"));
  return out;
}

Checked<ast::Union> Parser::union_branches() {
  ast::Union out;
  for (;;) {
    TRY_VOID(skip_hints());
    if (at("kind") && at("=", 1)) {
      take();
      take();
      if (!at("inner") && !at("outer")) return expected("'inner' or 'outer'");
      out.inner = take().text == "inner";
    } else if ((at("withsource") || at("with_source")) && at("=", 1)) {
      take();
      take();
      TRY(out.with_source, name("a column name after 'withsource='"));
    } else if (at("isfuzzy") && at("=", 1)) {
      take();
      take();
      if (!at("true") && !at("false")) return expected("'true' or 'false'");
      out.fuzzy = take().text == "true";
    } else {
      break;
    }
  }
  do {
    auto branch = std::make_unique<ast::Pipeline>();
    branch->span = peek().span;
    if (at("(")) {
      TRY(branch, bracketed_pipeline());
    } else {
      if (peek().kind == TokenKind::identifier && at("(", 1)) {
        TRY(auto called, call());
        if (at(".")) return unsupported(called->span, "a table of another database or workspace");
        branch->source = ast::TableCall{std::move(called)};
      } else {
        TRY(auto table, name_pattern());
        branch->source = ast::TableName{std::move(table)};
      }
      branch->span = since(branch->span.start);
    }
    out.branches.push_back(std::move(branch));
  } while (accept(","));
  return out;
}

Checked<ast::Join> Parser::join() {
  ast::Join out;
  out.kind.span = peek().span;
  TRY_VOID(skip_hints());
  if (at("kind") && at("=", 1)) {
    take();
    take();
    TRY(out.kind, word("a kind of join"));
  }
  TRY_VOID(skip_hints());
  if (at("(")) {
    TRY(out.right, bracketed_pipeline());
  } else if (peek().kind == TokenKind::identifier && at("(", 1)) {
    out.right = std::make_unique<ast::Pipeline>();
    out.right->span = peek().span;
    TRY_VOID(source(*out.right));
  } else {
    out.right = std::make_unique<ast::Pipeline>();
    TRY(auto table, name("a table to join", NameUse::referred));
    out.right->span = table.span;
    out.right->source = ast::TableName{std::move(table)};
  }
  TRY_VOID(expect("on", "after the right side of 'join'"));
  do {
    TRY(auto condition, expression());
    out.conditions.push_back(std::move(condition));
  } while (accept(","));
  return out;
}

Checked<std::vector<ast::Name>> Parser::name_patterns() {
  std::vector<ast::Name> out;
  do {
    TRY(auto pattern, name_pattern());
    out.push_back(std::move(pattern));
  } while (accept(","));
  return out;
}

Checked<ast::ProjectRename> Parser::project_rename() {
  ast::ProjectRename out;
  do {
    TRY(auto fresh, name("a new column name"));
    TRY_VOID(expect("=", "and the old column name"));
    TRY(auto old, name("the old column name", NameUse::referred));
    out.columns.emplace_back(std::move(fresh), std::move(old));
  } while (accept(","));
  return out;
}

Checked<ast::ProjectReorder> Parser::project_reorder() {
  ast::ProjectReorder out;
  using Direction = ast::ProjectReorder::Direction;
  do {
    TRY(auto pattern, name_pattern());
    auto direction = Direction::as_is;
    if (accept("asc")) direction = Direction::ascending;
    if (accept("desc")) direction = Direction::descending;
    if (at("granny-asc") || at("granny")) return unsupported(peek().span, "'granny-asc'");
    out.columns.emplace_back(std::move(pattern), direction);
  } while (accept(","));
  return out;
}

}  // namespace picket::kql
