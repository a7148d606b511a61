// graph-match and graph-shortest-paths: names of the pattern, the order in which its edges are followed, and what of
// the condition can be asked as soon as a part of the pattern is found.
#include <algorithm>
#include <map>
#include <set>

#include "binder_state.h"
#include "expr.h"

namespace picket::kql {

namespace {

using Kind = ast::Expression::Kind;
using Direction = ast::GraphMatch::Direction;

void collect_columns(const ExprPtr& expr, std::vector<ColumnId>& out) {
  if (expr->kind == Expr::Kind::column) out.push_back(expr->column);
  for (const auto& arg : expr->args) collect_columns(arg, out);
}

void split_conjunction(const ExprPtr& expr, std::vector<ExprPtr>& out) {
  if (expr->kind == Expr::Kind::call && expr->op == "and") {
    for (const auto& arg : expr->args) split_conjunction(arg, out);
  } else {
    out.push_back(expr);
  }
}

}  // namespace

/// What the names of a pattern mean while its condition and its columns are bound.
struct Binder::Match {
  const Graph* graph;
  const ast::GraphMatch* op;
  Matches plan{};
  std::vector<Scope> nodes{};                ///< By node: its properties.
  std::vector<Scope> edges{};                ///< By edge; of a path those of its edges in the graph.
  std::map<ColumnId, std::size_t> owners{};  ///< Of a column: the node, or the number of nodes and the edge.
  bool in_predicate = false;

  [[nodiscard]] std::optional<std::size_t> edge(std::string_view name) const {
    const auto found = std::ranges::find(op->edges, name, [](const auto& one) { return one.name.text; });
    return found == op->edges.end() || name.empty() ? std::nullopt
                                                    : std::optional<std::size_t>(found - op->edges.begin());
  }
  [[nodiscard]] std::optional<std::size_t> node(std::string_view name) const {
    const auto found = std::ranges::find(op->nodes, name, &ast::Name::text);
    return found == op->nodes.end() || name.empty() ? std::nullopt
                                                    : std::optional<std::size_t>(found - op->nodes.begin());
  }
};

/// Of each edge or inner node of a path the value, as one column of the match.
ExprPtr Binder::along(std::size_t edge, Matches::Along::Kind kind, bool inner, ExprPtr value) {
  const bool list = kind == Matches::Along::Kind::list;
  const auto id = new_column();
  match_->plan.along.push_back({id, edge, kind, inner, false, list ? json_of(value) : std::move(value)});
  match_->owners.emplace(id, match_->op->nodes.size() + edge);
  return column_ref(id, list ? Type::dynamic : Type::boolean, false);
}

/// name.property of a pattern; nullopt: no name of it.
std::optional<Checked<ExprPtr>> Binder::graph_property(const ast::Expression& expression) {
  if (match_ == nullptr || expression.kind != Kind::member || expression.children[0]->kind != Kind::name) return {};
  const auto& name = expression.children[0]->text;
  const auto node = match_->node(name);
  const auto edge = node ? std::nullopt : match_->edge(name);
  if (!node && !edge) return {};
  const auto* const column = find_column(node ? match_->nodes[*node] : match_->edges[*edge], expression.text);
  if (column == nullptr) {
    return diagnose(code::kUnknownName, expression.text_span,
                    "'" + name + "' has no property '" + expression.text + "'");
  }
  auto value = column_ref(column->id, column->type, column->nullable);
  if (node || !match_->op->edges[*edge].variable) return value;
  if (match_->in_predicate || column->type == Type::decimal) {
    return diagnose(code::kUnsupported, expression.span,
                    "a property of a path as a value; use all(), any() or map() of it");
  }
  return along(*edge, Matches::Along::Kind::list, false, std::move(value));
}

/// all(e, c), any(e, c), map(e, x), each also of inner_nodes(e); nullopt: another function.
std::optional<Checked<ExprPtr>> Binder::graph_function(const ast::Expression& call) {
  using Along = Matches::Along::Kind;
  if (match_ == nullptr || (call.text != "all" && call.text != "any" && call.text != "map")) return {};
  if (call.arguments.size() != 2) {
    return diagnose(code::kArguments, call.span, call.text + "() takes a path and what is asked of it");
  }
  const auto* path = call.arguments[0].value.get();
  const bool inner = path->kind == Kind::call && path->text == "inner_nodes" && path->arguments.size() == 1;
  if (inner) path = path->arguments[0].value.get();
  const auto edge = path->kind == Kind::name ? match_->edge(path->text) : std::nullopt;
  if (!edge) return diagnose(code::kArguments, path->span, call.text + "() is asked of an edge of variable length");
  if (!match_->op->edges[*edge].variable) {
    return diagnose(code::kUnsupported, path->span, call.text + "() of an edge that is no path");
  }
  const auto kind = call.text == "all" ? Along::all : call.text == "any" ? Along::any : Along::list;
  const auto& body = *call.arguments[1].value;
  const auto& scope = inner ? match_->graph->node_columns : match_->graph->edge_columns;
  Match* const outer_match = std::exchange(match_, nullptr);
  const Scope* const outer_scope = std::exchange(scope_, &scope);
  auto value = kind == Along::list ? bind_expression(body) : bind_predicate(body);
  scope_ = outer_scope;
  match_ = outer_match;
  if (!value) return std::unexpected(std::move(value).error());
  if ((*value)->type == Type::decimal) return diagnose(code::kUnsupported, body.span, "a decimal in a dynamic value");
  return along(*edge, kind, inner, std::move(*value));
}

Checked<> Binder::name_elements(Match& match) {
  const auto& op = *match.op;
  const auto outputs = [&](const Scope& from, std::size_t owner, Scope& names, std::vector<Matches::Output>& made) {
    for (const auto& column : from) {
      names.push_back({column.name, column.type, new_column(), column.nullable});
      made.push_back({names.back().id, column.id, column.type});
      match.owners.emplace(names.back().id, owner);
    }
  };
  for (std::size_t i = 0; i < op.nodes.size(); ++i) {
    outputs(match.graph->node_columns, i, match.nodes.emplace_back(), match.plan.nodes_out.emplace_back());
  }
  for (std::size_t i = 0; i < op.edges.size(); ++i) {
    const auto& edge = op.edges[i];
    if (!edge.name.text.empty() && (match.node(edge.name.text) || match.edge(edge.name.text) != i)) {
      return diagnose(code::kDuplicate, edge.name.span, "the name '" + edge.name.text + "' stands for two things");
    }
    auto& made = match.plan.edges_out.emplace_back();
    if (edge.variable) {
      match.edges.push_back(match.graph->edge_columns);
    } else {
      outputs(match.graph->edge_columns, op.nodes.size() + i, match.edges.emplace_back(), made);
    }
  }
  return {};
}

/// From a node that the condition names alone, if there is one, along edges that begin or end where the match is.
Checked<> Binder::order_hops(Match& match, const std::vector<ExprPtr>& conditions) {
  const auto& op = *match.op;
  const auto owners_of = [&](const ExprPtr& condition) {
    std::vector<ColumnId> columns;
    collect_columns(condition, columns);
    std::set<std::size_t> out;
    for (const auto column : columns) {
      if (const auto found = match.owners.find(column); found != match.owners.end()) out.insert(found->second);
    }
    return out;
  };
  std::vector<std::set<std::size_t>> owners;
  for (const auto& condition : conditions) owners.push_back(owners_of(condition));
  auto& plan = match.plan;
  for (std::size_t i = op.nodes.size(); i-- > 0;) {
    if (std::ranges::any_of(owners, [&](const auto& one) { return one == std::set{i}; })) plan.seed = i;
  }
  std::set<std::size_t> known = {plan.seed};
  std::vector<bool> asked(conditions.size(), false);
  const auto ask = [&](std::size_t after) {
    for (std::size_t i = 0; i < conditions.size(); ++i) {
      if (asked[i] || !std::ranges::includes(known, owners[i])) continue;
      asked[i] = true;
      plan.conditions.push_back({conditions[i], after});
    }
  };
  ask(0);
  while (plan.hops.size() < op.edges.size()) {
    std::optional<std::size_t> next;
    for (std::size_t i = 0; i < op.edges.size() && !next; ++i) {
      const bool reaches = known.contains(op.edges[i].from) || known.contains(op.edges[i].to);
      if (reaches && !known.contains(op.nodes.size() + i)) next = i;
    }
    if (!next) break;
    const auto& edge = op.edges[*next];
    const bool backward = !known.contains(edge.from);
    const bool along_edges = (edge.direction == Direction::right) != backward;
    plan.hops.push_back({.edge = *next,
                         .from = backward ? edge.to : edge.from,
                         .to = backward ? edge.from : edge.to,
                         .closes = known.contains(edge.from) && known.contains(edge.to),
                         .backward = backward,
                         .along_edges = along_edges || edge.direction == Direction::any,
                         .against_edges = !along_edges || edge.direction == Direction::any,
                         .variable = edge.variable,
                         .least = edge.least,
                         .most = edge.most});
    known.insert({edge.from, edge.to, op.nodes.size() + *next});
    ask(plan.hops.size());
  }
  const bool whole = plan.hops.size() == op.edges.size() && std::ranges::all_of(op.nodes, [&](const ast::Name& node) {
                       return known.contains(static_cast<std::size_t>(&node - op.nodes.data()));
                     });
  if (!whole) return diagnose(code::kArguments, op.pattern, "the parts of the pattern must be joined by a node");
  // Where all(e, c) must hold, no edge without c is followed.
  for (auto& one : plan.along) {
    const auto is_asked = [&](const ExprPtr& condition) {
      return condition->kind == Expr::Kind::column && condition->column == one.column;
    };
    one.prunes = one.kind == Matches::Along::Kind::all && !one.inner && std::ranges::any_of(conditions, is_asked);
  }
  return {};
}

/// Of the paths between two nodes the shortest: all of them, or any one.
Checked<> Binder::keep_shortest(Relation& relation, const ast::GraphMatch& op, Matches& plan, Span span) {
  const auto& graph = *relation.graph;
  plan.length = new_column();
  const auto end = [&](std::size_t node) {
    const auto id = new_column();
    plan.nodes_out[node].push_back({id, graph.node_id.id, graph.node_id.type});
    return id;
  };
  Window window{.column = new_column(), .type = Type::int64, .op = op.all_paths ? "rank" : "row_number"};
  window.partition = {end(op.edges.front().from), end(op.edges.back().to)};
  window.order = {{*plan.length, false, false}};
  const auto place = column_ref(window.column, Type::int64, false);
  TRY(window.input, make_node(std::move(plan), span));
  TRY(auto ranked, make_node(std::move(window), span));
  auto first = strict_call("eq", Type::boolean, {place, literal({Type::int64, std::int64_t{1}})});
  TRY(relation.node, make_node(Filter{std::move(ranked), std::move(first)}, span));
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::GraphMatch& op, Span span) {
  const bool several = op.sequences > 1;
  if (op.shortest && (several || std::ranges::none_of(op.edges, &ast::GraphMatch::Edge::variable))) {
    return diagnose(code::kArguments, op.pattern, "a path is one sequence with an edge of variable length");
  }
  if (several && op.cycles == ast::GraphMatch::Cycles::none) {
    return diagnose(code::kUnsupported, op.pattern, "'cycles=none' of several sequences");
  }
  const auto graph = relation.graph;
  Match match{.graph = graph.get(), .op = &op};
  match.plan.edges = graph->edges;
  match.plan.source = graph->source.id;
  match.plan.target = graph->target.id;
  match.plan.nodes = graph->nodes;
  match.plan.node_id = graph->node_id.id;
  match.plan.unique_edges = op.shortest || op.cycles == ast::GraphMatch::Cycles::unique_edges;
  match.plan.unique_nodes = op.cycles == ast::GraphMatch::Cycles::none;
  TRY_VOID(name_elements(match));
  const Scope nothing;
  Match* const outer_match = std::exchange(match_, &match);
  const Scope* const outer_scope = std::exchange(scope_, &nothing);
  Relation out;
  std::vector<NamedExpr> computed;
  auto bound = [&]() -> Checked<> {
    std::vector<ExprPtr> conditions;
    if (op.predicate != nullptr) {
      match.in_predicate = true;
      TRY(const auto predicate, bind_predicate(*op.predicate));
      match.in_predicate = false;
      split_conjunction(predicate, conditions);
    }
    std::size_t unnamed = 0;
    for (const auto& assignment : op.columns) {
      if (assignment.names.size() > 1) {
        return diagnose(code::kUnsupported, assignment.names[0].span, "several names for one value");
      }
      TRY(const auto value, bind_expression(*assignment.value));
      const bool given = !assignment.names.empty();
      auto name = given ? assignment.names[0].text : implicit_name(*assignment.value);
      if (name.empty()) name = "Column" + std::to_string(++unnamed);
      if (!given) name = unique_name(out.columns, std::move(name));
      TRY_VOID(add_column(out.columns, define(std::move(name), value, computed),
                          given ? assignment.names[0].span : assignment.value->span));
    }
    return order_hops(match, conditions);
  }();
  match_ = outer_match;
  scope_ = outer_scope;
  if (!bound) return bound;
  if (op.shortest) {
    TRY_VOID(keep_shortest(relation, op, match.plan, span));
  } else {
    TRY(relation.node, make_node(std::move(match.plan), span));
  }
  out.node = std::move(relation.node);
  if (!computed.empty()) {
    TRY(out.node, make_node(Extend{std::move(out.node), std::move(computed)}, span));
  }
  relation = std::move(out);
  return {};
}

}  // namespace picket::kql
