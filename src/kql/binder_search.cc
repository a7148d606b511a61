// search: one predicate over many tables. find is in binder_find.cc.
#include <algorithm>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

/// The operator a term with stars stands for, and the term without them; nullopt: a star inside.
std::optional<std::pair<std::string_view, std::string>> term_operator(std::string term, bool case_sensitive) {
  const bool front = term.starts_with('*');
  const bool back = term.ends_with('*') && term.size() > 1;
  if (front) term.erase(0, 1);
  if (back) term.pop_back();
  if (term.contains('*')) return std::nullopt;
  const std::string_view op = front && back ? (case_sensitive ? "contains_cs" : "contains")
                              : front       ? (case_sensitive ? "hassuffix_cs" : "hassuffix")
                              : back        ? (case_sensitive ? "hasprefix_cs" : "hasprefix")
                                            : (case_sensitive ? "has_cs" : "has");
  return std::pair(op, std::move(term));
}

}  // namespace

/// True where the operator holds for the text of any column: what `search "x"` and `* has "x"` ask for.
Checked<ExprPtr> Binder::any_column(std::string_view op, const ExprPtr& wanted, Span span) {
  if (scope_ == nullptr) return diagnose(code::kArguments, span, "there are no columns to search here");
  std::vector<ExprPtr> tests;
  for (const auto& column : *scope_) {
    if (column.name == "$table") continue;
    const auto value = column_ref(column.id, column.type, column.nullable);
    tests.push_back(call(op, Type::boolean, {convert(value, Type::string), convert(wanted, Type::string)}, false));
  }
  if (tests.empty()) return literal({Type::boolean, false});
  return tests.size() == 1 ? tests[0] : strict_call("or", Type::boolean, std::move(tests));
}

Checked<ExprPtr> Binder::bind_search_predicate(const ast::Expression& expression, bool case_sensitive) {
  const auto* term = expression.kind == Kind::literal ? std::get_if<std::string>(&expression.literal.data) : nullptr;
  if (term != nullptr && expression.literal.type == Type::string) {
    if (*term == "*") return literal({Type::boolean, true});
    auto wanted = term_operator(*term, case_sensitive);
    if (!wanted) return diagnose(code::kUnsupported, expression.span, "a star inside of a search term");
    return any_column(wanted->first, literal({Type::string, std::move(wanted->second)}), expression.span);
  }
  if (expression.kind == Kind::star) return literal({Type::boolean, true});
  if (expression.kind == Kind::logical) {
    std::vector<ExprPtr> args;
    for (const auto& child : expression.children) {
      TRY(auto arg, bind_search_predicate(*child, case_sensitive));
      args.push_back(std::move(arg));
    }
    return strict_call(expression.text == "and" ? "and" : "or", Type::boolean, std::move(args));
  }
  if (expression.kind == Kind::call && expression.text == "not" && expression.arguments.size() == 1) {
    TRY(auto arg, bind_search_predicate(*expression.arguments[0].value, case_sensitive));
    return strict_call("not", Type::boolean, {std::move(arg)});
  }
  if (case_sensitive && expression.kind == Kind::binary && !expression.text.ends_with("_cs")) {
    const std::string_view op = expression.text;
    if (op != "==" && op != "!=" && op != "<" && op != ">" && op != "<=" && op != ">=" && op != "matches regex") {
      return diagnose(code::kUnsupported, expression.text_span,
                      "this operator in a case-sensitive search; use its _cs form");
    }
  }
  // column:"term*" takes stars too
  if (expression.kind == Kind::binary && expression.text == ":" && expression.children[1]->kind == Kind::literal) {
    const auto& text = expression.children[1]->literal;
    if (const auto* value = std::get_if<std::string>(&text.data); value != nullptr && value->contains('*')) {
      auto wanted = term_operator(*value, case_sensitive);
      if (!wanted) return diagnose(code::kUnsupported, expression.span, "a star inside of a search term");
      TRY(auto left, bind_expression(*expression.children[0]));
      return call(wanted->first, Type::boolean,
                  {convert(left, Type::string), literal({Type::string, std::move(wanted->second)})}, false);
    }
  }
  return bind_predicate(expression);
}

std::vector<std::string> Binder::matching_tables(const std::vector<ast::Name>& patterns) const {
  std::vector<std::string> out;
  const auto add = [&](const std::string& name) {
    if (!contains(out, name)) out.push_back(name);
  };
  if (patterns.empty()) {
    for (const auto& table : schema_.tables) add(table.name);
  }
  for (const auto& pattern : patterns) {
    if (!pattern.pattern) {
      add(pattern.text);
      continue;
    }
    for (const auto& table : schema_.tables) {
      if (matches_pattern(table.name, pattern.text)) add(table.name);
    }
  }
  return out;
}

Checked<Relation> Binder::union_of(std::vector<Relation> branches, std::vector<std::string> names,
                                   const std::string& source_name, Span span) {
  ast::Union op;
  if (!source_name.empty()) op.with_source = ast::Name{source_name, span};
  if (names.empty()) names.resize(branches.size());
  return bind_union(std::move(branches), std::move(names), op, span);
}

Checked<Relation> Binder::bind_search(const ast::Search& op, Span span) {
  std::vector<Relation> branches;
  auto names = matching_tables(op.tables);
  for (const auto& name : names) {
    const auto place = std::ranges::find(op.tables, name, &ast::Name::text);
    TRY(auto table, bind_table({name, place == op.tables.end() ? span : place->span}));
    branches.push_back(std::move(table));
  }
  if (branches.empty()) return diagnose(code::kUnknownName, span, "there is no table to search");
  TRY(auto relation, union_of(std::move(branches), std::move(names), "$table", span));
  const Scope* const outer = std::exchange(scope_, &relation.columns);
  auto predicate = bind_search_predicate(*op.predicate, op.case_sensitive);
  scope_ = outer;
  if (!predicate) return std::unexpected(std::move(predicate).error());
  TRY(relation.node, make_node(Filter{std::move(relation.node), std::move(*predicate)}, span));
  return relation;
}

Checked<> Binder::apply(Relation& relation, const ast::Search& op, Span span) {
  if (!op.tables.empty())
    return diagnose(code::kArguments, op.tables[0].span, "tables are named where 'search' stands first");
  if (refused_apart(relation)) return diagnose(code::kUnsupported, span, "'search' inside of a sub-query");
  const auto* table = pipeline_ == nullptr ? nullptr : std::get_if<ast::TableName>(&pipeline_->source);
  std::vector<Relation> branches;
  branches.push_back(std::move(relation));
  TRY(relation, union_of(std::move(branches), {table == nullptr ? std::string("search_arg0") : table->name.text},
                         "$table", span));
  const Scope* const outer = std::exchange(scope_, &relation.columns);
  auto predicate = bind_search_predicate(*op.predicate, op.case_sensitive);
  scope_ = outer;
  if (!predicate) return std::unexpected(std::move(predicate).error());
  TRY(relation.node, make_node(Filter{std::move(relation.node), std::move(*predicate)}, span));
  return {};
}

}  // namespace picket::kql
