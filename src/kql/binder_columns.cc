// Columns: extend, project and its like, and what a column is called.
#include <algorithm>
#include <array>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

std::string quoted(std::string_view name) { return "'" + std::string(name) + "'"; }

/// Columns that may stand for JSON text: worth remembering for promoted keys.
bool is_json_source(const Expr& expr) {
  return expr.kind == Expr::Kind::path || expr.kind == Expr::Kind::column ||
         (expr.kind == Expr::Kind::call && expr.op == "parse_json");
}

}  // namespace

/// Linear: the last star is the only one worth going back to.
bool matches_pattern(std::string_view name, std::string_view pattern) {
  std::size_t n = 0;
  std::size_t p = 0;
  std::optional<std::size_t> star;
  std::size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++n;
      ++p;
    } else if (star) {
      p = *star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

ScopeColumn Binder::define(std::string name, const ExprPtr& expr, std::vector<NamedExpr>& computed) {
  if (expr->kind == Expr::Kind::column) return {std::move(name), expr->type, expr->column, expr->nullable};
  const auto id = new_column();
  if (is_json_source(*expr)) definitions_.emplace(id, expr);
  computed.push_back({id, expr});
  return {std::move(name), expr->type, id, expr->nullable};
}

/// The columns that one assignment gives: one, but for functions that give a row.
Checked<std::vector<Binder::OutputColumn>> Binder::bind_output(Relation& relation, const ast::Assignment& assignment) {
  const auto& value = *assignment.value;
  Relation* const outer_window = std::exchange(window_, &relation);
  row_wanted_ = value.kind == Kind::call && find_row_function(value.text) != nullptr;
  auto bound = bind_in(relation.columns, value);
  row_wanted_ = false;
  window_ = outer_window;
  if (!bound) return std::unexpected(std::move(bound).error());
  std::vector<OutputColumn> out;
  const auto* const row = value.kind == Kind::call ? find_row_function(value.text) : nullptr;
  if (row == nullptr) {
    if (assignment.names.size() > 1) {
      return diagnose(code::kArguments, assignment.names[1].span, "more names than values");
    }
    const bool given = !assignment.names.empty();
    auto name = given ? assignment.names[0].text : implicit_name(value);
    out.push_back({std::move(name), given, std::move(*bound), given ? assignment.names[0].span : value.span});
    return out;
  }
  // The function's JSON array is computed once; its elements are the columns.
  const auto whole = new_column();
  TRY(relation.node, make_node(Extend{std::move(relation.node), {{whole, std::move(*bound)}}}, value.span));
  const auto base = value.text + "_" + (value.arguments.empty() ? "" : implicit_name(*value.arguments[0].value));
  const std::size_t count = row->sorts_arrays ? value.arguments.size() : row->columns.size();
  for (std::size_t i = 0; i < count; ++i) {
    auto element = path(column_ref(whole, Type::dynamic, true), static_cast<std::int64_t>(i));
    const bool given = i < assignment.names.size();
    OutputColumn column{.name = given               ? assignment.names[i].text
                                : row->sorts_arrays ? implicit_name(*value.arguments[i].value) + "_sorted"
                                                    : base + "_" + std::string(row->columns[i].name),
                        .given = given,
                        .value = row->sorts_arrays ? element : convert(element, row->columns[i].type),
                        .span = given ? assignment.names[i].span : value.span};
    out.push_back(std::move(column));
  }
  if (assignment.names.size() > count) {
    return diagnose(code::kArguments, assignment.names[count].span, "more names than values");
  }
  return out;
}

Checked<> Binder::bind_columns(Relation& relation, const std::vector<ast::Assignment>& columns, bool keep, Span span) {
  std::vector<NamedExpr> computed;
  Scope out = keep ? relation.columns : Scope();
  Scope fresh;  // names this operator has given: each at most once
  std::size_t unnamed = 0;
  for (const auto& assignment : columns) {
    TRY(auto values, bind_output(relation, assignment));
    for (auto& value : values) {
      auto name = std::move(value.name);
      if (name.empty()) {
        do {
          name = "Column" + std::to_string(++unnamed);
        } while (find_column(keep ? out : fresh, name) != nullptr);
      } else if (!value.given && (keep || assignment.value->kind != Kind::name)) {
        name = unique_name(fresh, std::move(name));
      }
      const auto column = define(std::move(name), value.value, computed);
      TRY_VOID(add_column(fresh, column, value.span));
      const auto same = std::ranges::find(out, column.name, &ScopeColumn::name);
      if (same != out.end()) {
        *same = column;
      } else {
        TRY_VOID(add_column(out, column, value.span));
      }
    }
  }
  relation.columns = std::move(out);
  if (!computed.empty()) {
    TRY(relation.node, make_node(Extend{std::move(relation.node), std::move(computed)}, span));
  }
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::Extend& op, Span span) {
  return bind_columns(relation, op.columns, true, span);
}

Checked<> Binder::apply(Relation& relation, const ast::Project& op, Span span) {
  return bind_columns(relation, op.columns, false, span);
}

Checked<std::vector<std::size_t>> Binder::matching(const Scope& scope, const ast::Name& pattern) const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < scope.size(); ++i) {
    if (pattern.pattern ? matches_pattern(scope[i].name, pattern.text) : scope[i].name == pattern.text)
      out.push_back(i);
  }
  if (out.empty()) {
    return diagnose(code::kUnknownName, pattern.span, "there is no column " + quoted(pattern.text));
  }
  return out;
}

Checked<> Binder::apply(Relation& relation, const ast::ProjectAway& op, Span span) {
  std::vector<bool> drop(relation.columns.size());
  for (const auto& pattern : op.columns) {
    TRY(const auto found, matching(relation.columns, pattern));
    for (const auto i : found) drop[i] = true;
  }
  Scope out;
  for (std::size_t i = 0; i < drop.size(); ++i) {
    if (!drop[i]) out.push_back(relation.columns[i]);
  }
  if (out.empty()) return diagnose(code::kArguments, span, "no column would be left");
  relation.columns = std::move(out);
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::ProjectKeep& op, Span /*span*/) {
  std::vector<bool> keep(relation.columns.size());
  for (const auto& pattern : op.columns) {
    TRY(const auto found, matching(relation.columns, pattern));
    for (const auto i : found) keep[i] = true;
  }
  Scope out;
  for (std::size_t i = 0; i < keep.size(); ++i) {
    if (keep[i]) out.push_back(relation.columns[i]);
  }
  relation.columns = std::move(out);
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::ProjectRename& op, Span /*span*/) {
  Scope out = relation.columns;
  for (const auto& [fresh, old] : op.columns) {
    TRY(const auto found, matching(relation.columns, old));
    out[found[0]].name = fresh.text;
  }
  for (const auto& [fresh, old] : op.columns) {
    if (std::ranges::count(out, fresh.text, &ScopeColumn::name) > 1) {
      return diagnose(code::kDuplicate, fresh.span, "there is already a column " + quoted(fresh.text));
    }
  }
  relation.columns = std::move(out);
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::ProjectReorder& op, Span /*span*/) {
  using Direction = ast::ProjectReorder::Direction;
  std::vector<bool> used(relation.columns.size());
  Scope out;
  for (const auto& [pattern, direction] : op.columns) {
    TRY(const auto found, matching(relation.columns, pattern));
    Scope part;
    for (const auto i : found) {
      if (!used[i]) part.push_back(relation.columns[i]);
      used[i] = true;
    }
    if (direction == Direction::ascending) std::ranges::sort(part, {}, &ScopeColumn::name);
    if (direction == Direction::descending) std::ranges::sort(part, std::greater<>{}, &ScopeColumn::name);
    std::ranges::move(part, std::back_inserter(out));
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) out.push_back(relation.columns[i]);
  }
  relation.columns = std::move(out);
  return {};
}

// --- names

const ScopeColumn* Binder::find_column(const Scope& scope, std::string_view name) {
  const auto found = std::ranges::find(scope, name, &ScopeColumn::name);
  return found == scope.end() ? nullptr : &*found;
}

const ScopeColumn* Binder::find_any_column(const Scope& scope, std::string_view name) const {
  if (const auto* shown = find_column(scope, name)) return shown;
  for (const auto& column : scope) {
    const auto hidden = hidden_.find(column.id);
    if (hidden == hidden_.end()) continue;
    if (const auto* found = find_column(*hidden->second, name)) return found;
  }
  return nullptr;
}

std::string Binder::unique_name(const Scope& scope, std::string name) {
  if (find_column(scope, name) == nullptr) return name;
  for (std::size_t i = 1;; ++i) {
    auto candidate = name + std::to_string(i);
    if (find_column(scope, candidate) == nullptr) return candidate;
  }
}

std::string Binder::joined_name(const Scope& out, const Scope& side, const std::string& name) {
  auto candidate = name;
  for (std::size_t i = 1; find_column(out, candidate) != nullptr || (i > 1 && find_column(side, candidate) != nullptr);
       ++i) {
    candidate = name + std::to_string(i);
  }
  return candidate;
}

Checked<> Binder::add_column(Scope& scope, ScopeColumn column, Span span) const {
  if (find_column(scope, column.name) != nullptr) {
    return diagnose(code::kDuplicate, span, "the column " + quoted(column.name) + " is declared twice");
  }
  if (scope.size() >= kColumnsMax)
    return diagnose(code::kLimit, span, "more than " + std::to_string(kColumnsMax) + " columns");
  scope.push_back(std::move(column));
  return {};
}

/// What a column is called that is given no name; "": it has no name of its own.
std::string Binder::implicit_name(const ast::Expression& expression) {
  switch (expression.kind) {
    case Kind::name:
      return expression.text;
    case Kind::member: {
      const auto base = implicit_name(*expression.children[0]);
      return base.empty() ? expression.text : base + "_" + expression.text;
    }
    case Kind::index: {
      const auto base = implicit_name(*expression.children[0]);
      const auto& key = expression.children[1]->literal.data;
      std::string text;
      if (expression.children[1]->kind == Kind::literal) {
        if (const auto* name = std::get_if<std::string>(&key)) text = *name;
        if (const auto* position = std::get_if<std::int64_t>(&key)) text = std::to_string(*position);
      }
      return base.empty() ? text : base + "_" + text;
    }
    case Kind::call: {
      NameRule rule = NameRule::none;
      std::string_view prefix;
      if (const auto* both = find_scalar_function(expression.text);
          both != nullptr && expression.arguments.size() > 1 && find_aggregate(expression.text) != nullptr) {
        return std::string(both->prefix);  // hll_merge(a, b), which is no aggregate
      }
      if (const auto* aggregate = find_aggregate(expression.text)) {
        const auto argument =
            expression.arguments.empty() ? std::string() : implicit_name(*expression.arguments[0].value);
        return aggregate->prefix.empty() ? argument : std::string(aggregate->prefix) + "_" + argument;
      }
      if (const auto* function = find_scalar_function(expression.text)) {
        rule = function->name_rule;
        prefix = function->prefix;
      } else if (const auto* coded = find_coded(expression.text)) {
        rule = coded->name_rule;
        prefix = coded->prefix;
      }
      if (rule == NameRule::none || expression.arguments.empty()) return {};
      const auto& first = expression.arguments[0];
      const auto argument = first.names.empty() ? implicit_name(*first.value) : first.names[0].text;
      return rule == NameRule::first_argument ? argument : std::string(prefix) + "_" + argument;
    }
    default:
      return {};
  }
}

}  // namespace picket::kql
