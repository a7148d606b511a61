// The operators with a syntax of their own: expansion, parsing, series, plugins, searching.
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

Checked<std::vector<ast::Operator>> Parser::bracketed_operators(std::string_view where) {
  TRY_VOID(expect("(", where));
  const Level level(*this);
  if (level.too_deep()) return too_deep();
  std::vector<ast::Operator> out;
  do {
    TRY(auto op, pipe_operator());
    out.push_back(std::move(op));
    if (out.size() > kPlanNodesMax) return too_deep();
  } while (accept("|"));
  TRY_VOID(expect(")", "after a sub-query"));
  return out;
}

Checked<Type> Parser::type_name() {
  const auto type = peek().kind == TokenKind::identifier ? type_of_name(peek().text) : std::nullopt;
  if (!type) return expected("a type");
  take();
  return *type;
}

/// a:long, b:string, up to and with the closing bracket. `star`: a '*' may stand first.
Checked<std::vector<std::pair<ast::Name, Type>>> Parser::row_schema(bool* star) {
  std::vector<std::pair<ast::Name, Type>> out;
  TRY_VOID(expect("(", "before a list of columns"));
  while (!at(")")) {
    if (star != nullptr && accept("*")) {
      *star = true;
    } else {
      TRY(auto column, name("a column name"));
      TRY_VOID(expect(":", "and a type after the column name"));
      TRY(const auto type, type_name());
      out.emplace_back(std::move(column), type);
      if (out.size() > kColumnsMax) return diagnose(code::kLimit, out.back().first.span, "too many columns");
    }
    if (!accept(",")) break;
  }
  TRY_VOID(expect(")", "after a list of columns"));
  return out;
}

Checked<ast::Expand> Parser::expand(std::string_view word) {
  ast::Expand out;
  for (;;) {
    TRY_VOID(skip_hints());
    if ((at("kind") || at("bagexpansion")) && at("=", 1)) {
      take();
      take();
      if (!at("bag") && !at("array")) return expected("'bag' or 'array'");
      out.bags_as_arrays = take().text == "array";
    } else if (at("with_itemindex") && at("=", 1)) {
      take();
      take();
      TRY(out.index, name("a column name after 'with_itemindex='"));
    } else {
      break;
    }
  }
  do {
    ast::Expand::Item item;
    TRY(auto value, assignment());
    if (value.names.size() > 1) return unsupported(value.names[0].span, "several names for one value");
    if (!value.names.empty()) item.name = std::move(value.names[0]);
    item.value = std::move(value.value);
    if (accept("to")) {
      TRY(const auto type, type_of());
      item.type = type->type;
    }
    out.items.push_back(std::move(item));
    if (out.items.size() > kColumnsMax) return too_deep();
  } while (accept(","));
  if (at("limit")) {
    take();
    TRY(out.limit, expression());
  }
  if (out.items.empty()) return expected("a column after '" + std::string(word) + "'");
  return out;
}

Checked<ast::Apply> Parser::apply() {
  ast::Apply out;
  TRY(out.expand, expand("mv-apply"));
  TRY_VOID(expect("on", "before the sub-query of 'mv-apply'"));
  TRY(out.operators, bracketed_operators("before the sub-query of 'mv-apply'"));
  return out;
}

Checked<ast::Parse> Parser::parse_operator(bool where) {
  using Part = ast::Parse::Part;
  ast::Parse out;
  out.where = where;
  if (at("kind") && at("=", 1)) {
    take();
    take();
    if (accept("simple")) {
    } else if (accept("relaxed")) {
      out.kind = ast::Parse::Kind::relaxed;
    } else if (accept("regex")) {
      out.kind = ast::Parse::Kind::regex;
    } else {
      return expected("'simple', 'relaxed' or 'regex'");
    }
    if (at("flags") && at("=", 1)) {
      take();
      take();
      out.flags = take().text;
    }
  }
  TRY(out.value, expression());
  TRY_VOID(expect("with", "before the pattern"));
  for (;;) {
    if (at("*")) {
      take();
      out.parts.push_back({});
    } else if (peek().kind == TokenKind::string) {
      TRY(const auto text, string_literal());
      Part part{.kind = Part::Kind::text};
      part.text = std::get<std::string>(text->literal.data);
      out.parts.push_back(std::move(part));
    } else if (peek().kind == TokenKind::identifier || at("[")) {
      Part part{.kind = Part::Kind::column};
      TRY(part.name, name("a column name"));
      if (accept(":")) {
        TRY(part.type, type_name());
      }
      out.parts.push_back(std::move(part));
    } else {
      break;
    }
    if (out.parts.size() > kColumnsMax) return too_deep();
  }
  if (out.parts.empty()) return expected("a pattern");
  return out;
}

Checked<ast::ParseKv> Parser::parse_kv() {
  ast::ParseKv out;
  TRY(out.value, expression());
  TRY_VOID(expect("as", "before the columns of 'parse-kv'"));
  TRY(out.columns, row_schema(nullptr));
  if (!accept("with")) return out;
  TRY_VOID(expect("(", "after 'with'"));
  while (!at(")")) {
    TRY(auto key, word("an option"));
    TRY_VOID(expect("=", "after the option"));
    std::string value;
    if (peek().kind == TokenKind::string) {
      value = std::get<std::string>(take().value.data);
    } else if (at("true") || at("false")) {
      value = take().text;
    } else {
      return expected("a text");
    }
    out.options.emplace_back(std::move(key), std::move(value));
    if (!accept(",")) break;
  }
  TRY_VOID(expect(")", "after the options"));
  return out;
}

Checked<std::vector<ast::Name>> Parser::table_list() {
  TRY_VOID(expect("(", "before a list of tables"));
  TRY(auto out, name_patterns());
  TRY_VOID(expect(")", "after a list of tables"));
  return out;
}

Checked<ast::Search> Parser::search() {
  ast::Search out;
  for (;;) {
    if (at("kind") && at("=", 1)) {
      take();
      take();
      if (!at("case_sensitive") && !at("case_insensitive") && !at("default")) return expected("a kind of search");
      out.case_sensitive = take().text == "case_sensitive";
    } else if (at("in") && at("(", 1)) {
      take();
      TRY(out.tables, table_list());
    } else {
      break;
    }
  }
  TRY(out.predicate, expression());
  return out;
}

Checked<ast::Find> Parser::find() {
  ast::Find out;
  for (;;) {
    if ((at("withsource") || at("with_source")) && at("=", 1)) {
      take();
      take();
      TRY(out.with_source, name("a column name after 'withsource='"));
    } else if (at("in") && at("(", 1)) {
      take();
      TRY(out.tables, table_list());
    } else {
      break;
    }
  }
  accept("where");
  TRY(out.predicate, expression());
  if (!at("project")) return out;
  Span word{};
  TRY(const auto operation, operator_name(word));
  if (operation == "project-smart") return out;
  if (operation != "project") return unsupported(word, "'" + operation + "' of 'find'");
  out.projects = true;
  do {
    if ((at("pack") || at("pack_all")) && at("(", 1)) {  // pack(*), pack_all()
      take();
      take();
      accept("*");
      TRY_VOID(expect(")", "after 'pack('"));
      out.packs = true;
      break;
    }
    ast::Find::Column column;
    TRY(column.name, name_pattern());
    if (accept(":")) {
      TRY(column.type, type_name());
    }
    out.columns.push_back(std::move(column));
  } while (accept(","));
  return out;
}

Checked<ast::MakeSeries> Parser::make_series() {
  ast::MakeSeries out;
  while (at("kind") && at("=", 1)) return unsupported(peek().span, "'kind=' of 'make-series'");
  TRY_VOID(skip_hints());
  do {
    ast::MakeSeries::Measure measure;
    TRY(measure.value, assignment());
    if (at("default") && at("=", 1)) {
      take();
      take();
      TRY(measure.fallback, expression());
    }
    out.measures.push_back(std::move(measure));
    if (out.measures.size() > kColumnsMax) return too_deep();
  } while (accept(","));
  TRY_VOID(expect("on", "before the axis of 'make-series'"));
  TRY(out.axis, arithmetic(true));                 // not an expression: `t in range(...)` is no test here
  if (at("in") && at("range", 1) && at("(", 2)) {  // on t in range(from, last, step): the older form
    take();
    take();
    take();
    out.in_range = true;
    TRY(out.from, expression());
    TRY_VOID(expect(",", "behind the first value of the range"));
    TRY(out.to, expression());
    TRY_VOID(expect(",", "behind the last value of the range"));
    TRY(out.step, expression());
    TRY_VOID(expect(")", "behind the step of the range"));
    if (accept("by")) {
      TRY(out.keys, assignments());
    }
    return out;
  }
  if (accept("from")) {
    TRY(out.from, expression());
  }
  if (accept("to")) {
    TRY(out.to, expression());
  }
  TRY_VOID(expect("step", "in 'make-series'"));
  TRY(out.step, expression());
  if (accept("by")) {
    TRY(out.keys, assignments());
  }
  return out;
}

Checked<ast::Evaluate> Parser::evaluate() {
  ast::Evaluate out;
  TRY_VOID(skip_hints());
  TRY(out.plugin, word("a plugin after 'evaluate'"));
  TRY_VOID(expect("(", "after the plugin"));
  while (!at(")")) {
    TRY(auto argument, assignment());
    out.arguments.push_back(std::move(argument));
    if (!accept(",")) break;
  }
  TRY_VOID(expect(")", "after the arguments of the plugin"));
  if (accept(":")) {
    out.has_schema = true;
    TRY(out.schema, row_schema(&out.schema_star));
  }
  return out;
}

Checked<ast::TopNested> Parser::top_nested() {
  ast::TopNested out;
  do {
    if (!out.levels.empty()) {
      Span span{};
      TRY(const auto word, operator_name(span));
      if (word != "top-nested") return diagnose(code::kSyntax, span, "expected 'top-nested'");
    }
    ast::TopNested::Level level;
    if (!at("of")) {
      TRY(level.count, expression());
    }
    TRY_VOID(expect("of", "in 'top-nested'"));
    TRY(level.key, assignment());
    if (at("with") && at("others", 1)) {
      take();
      take();
      TRY_VOID(expect("=", "after 'with others'"));
      TRY(level.others, expression());
    }
    TRY_VOID(expect("by", "in 'top-nested'"));
    TRY(level.measure, assignment());
    if (accept("asc")) {
      level.descending = false;
    } else {
      accept("desc");
    }
    out.levels.push_back(std::move(level));
    if (out.levels.size() > kNestingMax) return too_deep();
  } while (accept(","));
  return out;
}

Checked<ast::TopHitters> Parser::top_hitters() {
  ast::TopHitters out;
  TRY(out.count, expression());
  TRY_VOID(expect("of", "in 'top-hitters'"));
  TRY(out.value, expression());
  if (accept("by")) {
    TRY(out.by, expression());
  }
  return out;
}

Checked<ast::Sample> Parser::sample(bool distinct) {
  ast::Sample out;
  TRY(out.count, expression());
  if (!distinct) return out;
  TRY_VOID(expect("of", "in 'sample-distinct'"));
  TRY(out.value, expression());
  return out;
}

Checked<ast::Partition> Parser::partition() {
  ast::Partition out;
  TRY_VOID(skip_hints());
  TRY_VOID(expect("by", "in 'partition'"));
  TRY(auto key, name("a column", NameUse::referred));  // not an expression: `by k (...)` is no call
  out.key = std::make_unique<ast::Expression>();
  out.key->kind = ast::Expression::Kind::name;
  out.key->span = key.span;
  out.key->text_span = key.span;
  out.key->text = std::move(key.text);
  if (accept("{")) {
    const Level level(*this);
    if (level.too_deep()) return too_deep();
    TRY(out.table, pipeline());
    TRY_VOID(expect("}", "after the sub-query of 'partition'"));
    return out;
  }
  TRY(out.operators, bracketed_operators("before the sub-query of 'partition'"));
  return out;
}

Checked<ast::Fork> Parser::fork() {
  ast::Fork out;
  while (!at_end() && !at(";")) {
    if (peek().kind == TokenKind::identifier && at("=", 1)) {
      take();
      take();
    }
    auto branch = std::make_unique<ast::Pipeline>();
    const auto start = peek().span.start;
    TRY(branch->operators, bracketed_operators("before a branch of 'fork'"));
    branch->span = since(start);
    out.branches.push_back(std::move(branch));
    if (out.branches.size() > kResultsMax) return diagnose(code::kLimit, since(start), "too many results");
  }
  if (out.branches.empty()) return expected("a branch in brackets");
  return out;
}

Checked<ast::Facet> Parser::facet() {
  ast::Facet out;
  TRY_VOID(expect("by", "in 'facet'"));
  do {
    TRY(auto column, name("a column name"));
    out.columns.push_back(std::move(column));
    if (out.columns.size() > kResultsMax) return diagnose(code::kLimit, out.columns.back().span, "too many results");
  } while (accept(","));
  if (accept("with")) {
    TRY(out.operators, bracketed_operators("before the sub-query of 'facet'"));
  }
  return out;
}

Checked<ast::ExternalData> Parser::external_data() {
  take();
  ast::ExternalData out;
  TRY(out.columns, row_schema(nullptr));
  TRY_VOID(expect("[", "before the addresses"));
  do {
    TRY(auto address, expression());
    out.addresses.push_back(std::move(address));
  } while (accept(","));
  TRY_VOID(expect("]", "after the addresses"));
  if (accept("with")) {
    if (!at("(")) return expected("'(' after 'with'");
    at_ = behind_bracket(0);
  }
  return out;
}

// --- functions

Checked<ast::FunctionPtr> Parser::function() {
  const Level level(*this);
  if (level.too_deep()) return too_deep();
  auto out = std::make_unique<ast::Function>();
  const auto start = peek().span.start;
  accept("view");
  TRY_VOID(expect("(", "before the parameters of a function"));
  while (!at(")")) {
    ast::Function::Parameter parameter;
    TRY(parameter.name, name("a parameter name"));
    TRY_VOID(expect(":", "and a type after the parameter name"));
    if (at("(")) {
      parameter.tabular = true;
      if (at("*", 1)) {
        take();
        take();
        TRY_VOID(expect(")", "after '*'"));
      } else {
        TRY(parameter.columns, row_schema(nullptr));
      }
    } else {
      TRY(parameter.type, type_name());
      if (accept("=")) {
        TRY(parameter.fallback, expression());
      }
    }
    out->parameters.push_back(std::move(parameter));
    if (out->parameters.size() > kColumnsMax) return too_deep();
    if (!accept(",")) break;
  }
  TRY_VOID(expect(")", "after the parameters of a function"));
  TRY_VOID(expect("{", "before the body of a function"));
  while (accept(";")) {
  }
  while (at("let") && !at("|", 1)) {
    TRY(auto inner, let());
    out->declarations.push_back(std::move(inner));
    TRY_VOID(expect(";", "after a 'let' statement"));
    while (accept(";")) {
    }
  }
  if (starts_table()) {
    TRY(out->body, pipeline());
  } else {
    TRY(out->body, expression());
  }
  accept(";");
  TRY_VOID(expect("}", "after the body of a function"));
  out->span = since(start);
  return out;
}

}  // namespace picket::kql
