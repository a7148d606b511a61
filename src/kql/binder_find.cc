// find: the rows of many tables that a predicate holds for, with the columns that it names and those all tables have;
// what else a row has is packed into a bag (kql.md section 2.2; documentation: find operator).
#include <algorithm>

#include "binder_state.h"
#include "contains.h"
#include "expr.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

/// Names that the predicate reads, in the order of its text. `anywhere`: a term that may stand in any column.
void collect_names(const ast::Expression& expression, std::vector<std::string>& out, bool& anywhere) {
  if (expression.kind == Kind::name && !contains(out, expression.text)) out.push_back(expression.text);
  if (expression.kind == Kind::star || (expression.kind == Kind::literal && expression.literal.type == Type::string)) {
    anywhere = true;
  }
  // Of `column op value` only the column may be a term of its own.
  const bool operands = expression.kind == Kind::binary || expression.kind == Kind::list;
  for (const auto& child : expression.children) {
    bool inner = false;
    collect_names(*child, out, inner);
    anywhere = anywhere || (inner && (!operands || child->kind == Kind::star));
  }
  for (const auto& argument : expression.arguments) {
    bool inner = false;
    collect_names(*argument.value, out, inner);
    anywhere = anywhere || (inner && expression.text == "not");
  }
}

}  // namespace

/// Tables that have none of the columns a predicate reads are left out, unless it looks everywhere.
Checked<std::vector<Binder::FindTable>> Binder::find_tables(const ast::Find& op, Span span) {
  std::vector<std::string> read;
  bool anywhere = false;
  collect_names(*op.predicate, read, anywhere);
  std::vector<FindTable> out;
  for (const auto& name : matching_tables(op.tables)) {
    const auto place = std::ranges::find(op.tables, name, &ast::Name::text);
    TRY(auto table, bind_table({name, place == op.tables.end() ? span : place->span}));
    FindTable one{name, std::move(table), {}};
    for (const auto& column : one.table.columns) {
      if (contains(read, column.name)) one.read.push_back(column.name);
    }
    if (anywhere || !one.read.empty() || read.empty()) out.push_back(std::move(one));
  }
  if (out.empty()) return diagnose(code::kUnknownName, span, "no table has a column that 'find' looks into");
  return out;
}

/// Columns of the result: of each name as many as there are types, but for those that are converted.
std::vector<Binder::FoundColumn> Binder::found_columns(const ast::Find& op,
                                                       const std::vector<FindTable>& tables) const {
  std::vector<FoundColumn> out;
  const auto add = [&](const std::string& name, std::optional<Type> type) {
    for (const auto& one : tables) {
      const auto* column = find_column(one.table.columns, name);
      if (column == nullptr) continue;
      FoundColumn found{name, type.value_or(column->type), type.has_value()};
      if (!contains(out, found)) out.push_back(std::move(found));
    }
  };
  if (op.projects) {
    for (const auto& wanted : op.columns) {
      std::vector<std::string> names;
      for (const auto& one : tables) {
        for (const auto& column : one.table.columns) {
          const bool fits =
              wanted.name.pattern ? matches_pattern(column.name, wanted.name.text) : column.name == wanted.name.text;
          if (fits && !contains(names, column.name)) names.push_back(column.name);
        }
      }
      for (const auto& name : names) add(name, wanted.type);
    }
    return out;
  }
  for (const auto& column : tables[0].table.columns) {
    const bool common = std::ranges::all_of(tables, [&](const FindTable& one) {
      const auto* other = find_column(one.table.columns, column.name);
      return other != nullptr && other->type == column.type;
    });
    if (common) add(column.name, std::nullopt);
  }
  std::vector<std::string> read;
  bool anywhere = false;
  collect_names(*op.predicate, read, anywhere);
  for (const auto& name : read) add(name, std::nullopt);
  return out;
}

/// One table's part of the result: the rows that match, each with its values and the bag of the others.
Checked<Relation> Binder::find_in_table(const ast::Find& op, FindTable one, const std::vector<FoundColumn>& columns,
                                        bool packs, Span span) {
  Relation& table = one.table;
  // What the predicate reads and the table has not is missing there.
  std::vector<std::string> read;
  bool anywhere = false;
  collect_names(*op.predicate, read, anywhere);
  std::vector<NamedExpr> missing;
  Scope seen = table.columns;
  for (const auto& column : columns) {
    if (!contains(read, column.name) || find_column(seen, column.name) != nullptr) continue;
    Value nothing{column.type, std::monostate{}};
    if (column.type == Type::string) nothing.data = std::string();
    missing.push_back({new_column(), literal(std::move(nothing))});
    seen.push_back({column.name, column.type, missing.back().column, column.type != Type::string});
  }
  if (!missing.empty()) {
    TRY(table.node, make_node(Extend{std::move(table.node), std::move(missing)}, span));
  }
  const Scope* const outer = std::exchange(scope_, &seen);
  auto predicate = bind_search_predicate(*op.predicate, false);
  scope_ = outer;
  if (!predicate) return std::unexpected(std::move(predicate).error());
  TRY(table.node, make_node(Filter{std::move(table.node), std::move(*predicate)}, span));
  std::vector<NamedExpr> values;
  Scope out;
  for (const auto& column : columns) {
    const bool split = std::ranges::count(columns, column.name, &FoundColumn::name) > 1;
    const auto* from = find_column(table.columns, column.name);
    ExprPtr value;
    if (from != nullptr && (from->type == column.type || column.converted)) {
      value = convert(column_ref(from->id, from->type, from->nullable), column.type);
    } else {
      value = literal({column.type, std::monostate{}});
      if (column.type == Type::string) value = literal({Type::string, std::string()});
    }
    const auto name = split ? column.name + "_" + std::string(to_string(column.type)) : column.name;
    values.push_back({new_column(), value});
    out.push_back({name, column.type, values.back().column, value->nullable});
  }
  if (packs) {
    std::vector<ExprPtr> pairs;
    for (const auto& column : table.columns) {
      const auto shown = [&](const FoundColumn& found) { return found.name == column.name; };
      if (!op.projects && std::ranges::any_of(columns, shown)) continue;
      pairs.push_back(json_of(literal({Type::string, column.name})));
      pairs.push_back(json_of(column_ref(column.id, column.type, column.nullable)));
    }
    auto bag = pairs.empty() ? literal({Type::dynamic, std::string("{}")})
                             : call("bag_of_pairs", Type::dynamic,
                                    {call("pack_array", Type::dynamic, std::move(pairs), false)}, false);
    values.push_back({new_column(), std::move(bag)});
    out.push_back({"pack_", Type::dynamic, values.back().column, false});
  }
  TRY(table.node, make_node(Extend{std::move(table.node), std::move(values)}, span));
  table.columns = std::move(out);
  table.order.clear();
  return std::move(table);
}

Checked<Relation> Binder::bind_find(const ast::Find& op, Span span) {
  TRY(auto tables, find_tables(op, span));
  const auto columns = found_columns(op, tables);
  for (const auto& wanted : op.columns) {
    const auto named = [&](const FoundColumn& one) { return one.name == wanted.name.text; };
    if (wanted.name.pattern || std::ranges::any_of(columns, named)) continue;
    return diagnose(code::kUnknownName, wanted.name.span, "there is no column '" + wanted.name.text + "'");
  }
  const bool all_shown = std::ranges::all_of(tables, [&](const FindTable& one) {
    return std::ranges::all_of(one.table.columns, [&](const ScopeColumn& column) {
      return std::ranges::any_of(columns, [&](const FoundColumn& found) { return found.name == column.name; });
    });
  });
  const bool packs = op.projects ? op.packs : !all_shown;
  std::vector<Relation> branches;
  std::vector<std::string> names;
  for (auto& one : tables) {
    names.push_back(one.name);
    TRY(auto branch, find_in_table(op, std::move(one), columns, packs, span));
    branches.push_back(std::move(branch));
  }
  return union_of(std::move(branches), std::move(names), op.with_source ? op.with_source->text : "source_", span);
}

}  // namespace picket::kql
