// union and join.
#include <algorithm>
#include <array>

#include "binder_state.h"
#include "expr.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;

/// One output column of a union: which columns feed it.
struct UnionColumn {
  std::string name;
  Type type;
};

std::optional<JoinKind> join_kind(std::string_view name) {
  struct Known {
    std::string_view name;
    JoinKind kind;
  };
  static constexpr Known kKinds[] = {
      {"", JoinKind::inner_unique},
      {"innerunique", JoinKind::inner_unique},
      {"inner", JoinKind::inner},
      {"leftouter", JoinKind::left_outer},
      {"rightouter", JoinKind::right_outer},
      {"fullouter", JoinKind::full_outer},
      {"anti", JoinKind::left_anti},
      {"leftanti", JoinKind::left_anti},
      {"leftantisemi", JoinKind::left_anti},
      {"rightanti", JoinKind::right_anti},
      {"rightantisemi", JoinKind::right_anti},
      {"leftsemi", JoinKind::left_semi},
      {"rightsemi", JoinKind::right_semi},
  };
  const auto* const found = std::ranges::find(kKinds, name, &Known::name);
  return found == std::end(kKinds) ? std::nullopt : std::optional(found->kind);
}

}  // namespace

// --- union

Checked<std::optional<Relation>> Binder::bind_union_branch(const ast::Pipeline& branch, bool fuzzy, std::string& name) {
  if (const auto* table = std::get_if<ast::TableName>(&branch.source)) {
    name = table->name.text;
    if (fuzzy && !is_table(name)) {  // what isfuzzy asks for
      TRY(const auto* function, find_function(name, table->name.span));
      if (function == nullptr) return std::nullopt;
    }
  }
  if (const auto* called = std::get_if<ast::TableCall>(&branch.source); called != nullptr && fuzzy) {
    const auto& call = *called->call;
    if (call.text == "table" && call.arguments.size() == 1) {
      TRY(name, table_named(call));
      if (!is_table(name)) return std::nullopt;
    }
  }
  if (!branch.operators.empty()) {
    if (const auto* alias = std::get_if<ast::As>(&branch.operators.back().op)) name = alias->name.text;
  }
  TRY(auto relation, bind_pipeline(branch));
  return relation;
}

Checked<> Binder::apply(Relation& relation, const ast::Union& op, Span span) {
  if (refused_apart(relation)) return diagnose(code::kUnsupported, span, "'union' inside of a sub-query");
  std::vector<Relation> branches;
  branches.push_back(std::move(relation));
  TRY(relation, bind_union(std::move(branches), {"union_arg0"}, op, span));
  return {};
}

Checked<Relation> Binder::bind_union(std::vector<Relation> branches, std::vector<std::string> names,
                                     const ast::Union& op, Span span) {
  for (const auto& branch : op.branches) {
    if (const auto* pattern = std::get_if<ast::TableName>(&branch->source);
        pattern != nullptr && pattern->name.pattern) {
      const auto found = matching_tables({pattern->name});
      if (found.empty() && !op.fuzzy) {
        return diagnose(code::kUnknownName, pattern->name.span, "no table is named like '" + pattern->name.text + "'");
      }
      for (const auto& table : found) {
        TRY(auto bound, bind_table({table, pattern->name.span}));
        branches.push_back(std::move(bound));
        names.push_back(table);
      }
      continue;
    }
    auto name = "union_arg" + std::to_string(branches.size());
    TRY(auto bound, bind_union_branch(*branch, op.fuzzy, name));
    if (!bound) continue;
    branches.push_back(std::move(*bound));
    names.push_back(std::move(name));
  }
  if (branches.empty()) return diagnose(code::kUnknownName, span, "no table of this union exists");

  // The same name with two types becomes two columns that carry the type in their names.
  std::vector<UnionColumn> wanted;
  for (const auto& branch : branches) {
    for (const auto& column : branch.columns) {
      const auto same = [&](const UnionColumn& one) { return one.name == column.name && one.type == column.type; };
      if (std::ranges::any_of(wanted, same)) continue;
      const auto named = std::ranges::find(wanted.rbegin(), wanted.rend(), column.name, &UnionColumn::name);
      wanted.insert(named == wanted.rend() ? wanted.end() : named.base(), {column.name, column.type});
    }
  }
  if (op.inner) {
    std::erase_if(wanted, [&](const UnionColumn& one) {
      return !std::ranges::all_of(branches, [&](const Relation& branch) {
        const auto* column = find_column(branch.columns, one.name);
        return column != nullptr && column->type == one.type;
      });
    });
    if (wanted.empty()) return diagnose(code::kArguments, span, "the tables of this union have no column in common");
  }

  Union out;
  Relation relation;
  if (op.with_source) {
    const auto id = new_column();
    out.columns.emplace_back(id, Type::string);
    relation.columns.push_back({op.with_source->text, Type::string, id, false});
  }
  for (const auto& one : wanted) {
    const bool split = std::ranges::count(wanted, one.name, &UnionColumn::name) > 1;
    const auto id = new_column();
    out.columns.emplace_back(id, one.type);
    TRY_VOID(add_column(
        relation.columns,
        {split ? one.name + "_" + std::string(to_string(one.type)) : one.name, one.type, id, one.type != Type::string},
        span));
  }
  for (std::size_t i = 0; i < branches.size(); ++i) {
    Union::Branch branch{branches[i].node, {}};
    if (op.with_source) branch.columns.push_back(literal({Type::string, names[i]}));
    for (const auto& one : wanted) {
      const auto* column = find_column(branches[i].columns, one.name);
      if (column != nullptr && column->type == one.type) {
        branch.columns.push_back(column_ref(column->id, column->type, column->nullable));
      } else if (one.type == Type::string) {
        branch.columns.push_back(literal({Type::string, std::string()}));
      } else {
        branch.columns.push_back(literal({one.type, std::monostate{}}));
      }
    }
    out.branches.push_back(std::move(branch));
  }
  unite_hidden(branches, relation, out);
  TRY(relation.node, make_node(std::move(out), span));
  return relation;
}

const Scope* Binder::hidden_of(const Relation& relation) const {
  for (const auto& column : relation.columns) {
    if (const auto found = hidden_.find(column.id); found != hidden_.end()) return found->second.get();
  }
  return nullptr;
}

void Binder::unite_hidden(std::span<const Relation> branches, Relation& relation, Union& out) {
  const auto hidden = std::make_shared<Scope>();
  for (const auto& branch : branches) {
    const auto* const names = hidden_of(branch);
    if (names == nullptr) continue;
    for (const auto& one : *names) {
      if (find_column(*hidden, one.name) != nullptr || find_column(relation.columns, one.name) != nullptr) continue;
      hidden->push_back({one.name, one.type, new_column(), one.type != Type::string});
    }
  }
  if (hidden->empty()) return;
  for (const auto& one : *hidden) out.columns.emplace_back(one.id, one.type);
  for (std::size_t i = 0; i < branches.size(); ++i) {
    const auto* const names = hidden_of(branches[i]);
    for (const auto& one : *hidden) {
      const auto* const column = names == nullptr ? nullptr : find_column(*names, one.name);
      Value missing{one.type, std::monostate{}};
      if (one.type == Type::string) missing.data = std::string();
      out.branches[i].columns.push_back(column != nullptr && column->type == one.type
                                            ? column_ref(column->id, column->type, column->nullable)
                                            : literal(std::move(missing)));
    }
  }
  for (const auto& column : relation.columns) hidden_.emplace(column.id, hidden);
}

// --- join

Checked<std::pair<ColumnId, ColumnId>> Binder::join_key(const Relation& left, const Relation& right,
                                                        const ast::Expression& on) {
  std::array<const ast::Expression*, 2> sides = {&on, &on};
  if (on.kind == Kind::binary && on.text == "==") {
    sides = {on.children[0].get(), on.children[1].get()};
    const auto is_side = [](const ast::Expression& side, std::string_view name) {
      return side.kind == Kind::member && side.children[0]->kind == Kind::name && side.children[0]->text == name;
    };
    if (is_side(*sides[0], "$right") && is_side(*sides[1], "$left")) std::swap(sides[0], sides[1]);
    if (!is_side(*sides[0], "$left") || !is_side(*sides[1], "$right")) {
      return diagnose(code::kArguments, on.span, "a join condition is a column name or '$left.a == $right.b'");
    }
  } else if (on.kind != Kind::name) {
    return diagnose(code::kArguments, on.span, "a join condition is a column name or '$left.a == $right.b'");
  }
  std::array<const ScopeColumn*, 2> found{};
  for (std::size_t i = 0; i < 2; ++i) {
    found[i] = find_column(i == 0 ? left.columns : right.columns, sides[i]->text);
    if (found[i] == nullptr) {
      return diagnose(
          code::kUnknownName, sides[i]->span,
          std::string("the ") + (i == 0 ? "left" : "right") + " side has no column '" + sides[i]->text + "'");
    }
  }
  if (found[0]->type != found[1]->type) {
    return diagnose(code::kType, on.span,
                    "the keys have different types, " + std::string(to_string(found[0]->type)) + " and " +
                        std::string(to_string(found[1]->type)));
  }
  if (found[0]->type == Type::dynamic) {
    return diagnose(code::kType, on.span, "a dynamic column cannot be a key; extend both sides with tostring()");
  }
  return std::pair(found[0]->id, found[1]->id);
}

Checked<> Binder::apply(Relation& relation, const ast::Join& op, Span span) {
  if (refused_apart(relation)) return diagnose(code::kUnsupported, span, "'join' inside of a sub-query");
  const auto kind = op.lookup && op.kind.text.empty() ? std::optional(JoinKind::left_outer) : join_kind(op.kind.text);
  if (op.lookup && kind && *kind != JoinKind::left_outer && *kind != JoinKind::inner) {
    return diagnose(code::kArguments, op.kind.span, "'lookup' has the kinds leftouter and inner");
  }
  if (!kind) return diagnose(code::kSyntax, op.kind.span, "there is no join kind '" + op.kind.text + "'");
  TRY(auto right, bind_pipeline(*op.right));
  Join join{.left = relation.node, .right = right.node, .kind = *kind};
  for (const auto& condition : op.conditions) {
    // `$left.a == $right.a and $left.b == $right.b` is two keys
    const bool several = condition->kind == Kind::logical && condition->text == "and";
    for (std::size_t i = 0; i < (several ? condition->children.size() : 1); ++i) {
      TRY(auto key, join_key(relation, right, several ? *condition->children[i] : *condition));
      join.keys.push_back(key);
    }
  }
  const bool keep_left = *kind != JoinKind::right_anti && *kind != JoinKind::right_semi;
  const bool keep_right = *kind != JoinKind::left_anti && *kind != JoinKind::left_semi;
  const bool pads_left = *kind == JoinKind::right_outer || *kind == JoinKind::full_outer;
  const bool pads_right = *kind == JoinKind::left_outer || *kind == JoinKind::full_outer;
  Scope out;
  const auto take_side = [&](const Scope& side, std::vector<Join::Padded>& columns, bool padded) -> Checked<> {
    for (const auto& column : side) {
      const auto is_key = [&](const auto& key) { return key.second == column.id; };
      if (op.lookup && &side == &right.columns && std::ranges::any_of(join.keys, is_key)) continue;
      const auto id = new_column();
      columns.push_back({id, column.id, column.type});
      TRY_VOID(add_column(out,
                          {joined_name(out, side, column.name), column.type, id,
                           column.type != Type::string && (column.nullable || padded)},
                          span));
    }
    return {};
  };
  if (keep_left) TRY_VOID(take_side(relation.columns, join.left_columns, pads_left));
  if (keep_right) TRY_VOID(take_side(right.columns, join.right_columns, pads_right));
  TRY(relation.node, make_node(std::move(join), span));
  relation = Relation{.node = std::move(relation.node), .columns = std::move(out)};
  return {};
}

}  // namespace picket::kql
