// make-graph and what a graph becomes: tables of its nodes or edges, components. graph-match is in binder_match.cc.
#include <algorithm>

#include "binder_state.h"
#include "expr.h"

namespace picket::kql {

namespace {

ExprPtr reference(const ScopeColumn& column) { return column_ref(column.id, column.type, column.nullable); }

}  // namespace

std::unexpected<Diagnostic> Binder::no_graph(Span span) {
  return diagnose(code::kArguments, span, "this operator has its place behind 'make-graph'");
}

Checked<> Binder::check_table(const Relation& relation, Span span) {
  if (relation.graph == nullptr) return {};
  return diagnose(code::kArguments, span, "a graph is no table; 'graph-match' and 'graph-to-table' give one");
}

/// A table that several places read is computed once, so that all of them see the same rows.
Checked<NodePtr> Binder::once(NodePtr node, const Scope& columns, Span span) {
  Once out{.input = std::move(node), .columns = {}};
  for (const auto& column : columns) out.columns.emplace_back(column.id, column.type);
  return make_node(std::move(out), span);
}

/// One row for each id of a table of nodes: any of those it has.
Checked<Relation> Binder::distinct_nodes(Relation table, const ScopeColumn& id, Span span) {
  Aggregate aggregate{std::move(table.node), {}, {}, {}};
  Relation out;
  Aggregate::Measure others{.columns = {}, .op = "take_any"};
  for (const auto& column : table.columns) {
    const auto fresh = new_column();
    out.columns.push_back({column.name, column.type, fresh, column.nullable});
    if (column.id == id.id) {
      aggregate.keys.push_back({fresh, reference(column)});
    } else {
      others.args.push_back(reference(column));
      others.columns.emplace_back(fresh, column.type);
    }
  }
  if (!others.args.empty()) aggregate.measures.push_back(std::move(others));
  TRY(out.node, make_node(std::move(aggregate), span));
  return out;
}

/// The graph's nodes so far and what one more table says of them. A node that the table lacks has empty properties.
Checked<> Binder::add_properties(Graph& graph, Relation table, const ast::Name& id_name, Span span) {
  const auto id = *find_column(table.columns, id_name.text);
  TRY(const auto fresh, distinct_nodes(std::move(table), id, span));
  Join join{.left = graph.nodes, .right = fresh.node, .kind = JoinKind::left_outer};
  join.keys.emplace_back(graph.node_id.id, find_column(fresh.columns, id_name.text)->id);
  Scope columns;
  const auto pass = [&](const ScopeColumn& column, std::vector<Join::Padded>& side, bool padded) {
    auto out = column;
    out.id = new_column();
    out.nullable = column.type != Type::string && (column.nullable || padded);
    side.push_back({out.id, column.id, column.type});
    return out;
  };
  graph.node_id = pass(graph.node_id, join.left_columns, false);
  const bool first = graph.node_columns.empty();
  for (const auto& column : graph.node_columns) {
    columns.push_back(column.name == id_name.text ? graph.node_id : pass(column, join.left_columns, false));
    columns.back().name = column.name;
  }
  std::vector<NamedExpr> merged;
  for (const auto& column : fresh.columns) {
    if (column.name == id_name.text) {
      if (first) columns.push_back({column.name, column.type, graph.node_id.id, graph.node_id.nullable});
      continue;
    }
    const auto same = std::ranges::find(columns, column.name, &ScopeColumn::name);
    const auto mine = pass(column, join.right_columns, true);
    if (same == columns.end()) {
      columns.push_back(mine);
      continue;
    }
    if (same->type != column.type) {
      return diagnose(code::kUnsupported, span, "the tables of nodes give '" + column.name + "' different types");
    }
    auto value = call(column.type == Type::string ? "coalesce_text" : "coalesce", column.type,
                      {reference(*same), reference(mine)});
    *same = {column.name, column.type, new_column(), mine.nullable};
    merged.push_back({same->id, std::move(value)});
  }
  TRY(graph.nodes, make_node(std::move(join), span));
  if (!merged.empty()) {
    TRY(graph.nodes, make_node(Extend{std::move(graph.nodes), std::move(merged)}, span));
  }
  graph.node_columns = std::move(columns);
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::MakeGraph& op, Span span) {
  if (refused_apart(relation)) return diagnose(code::kUnsupported, span, "'make-graph' inside of a sub-query");
  auto graph = std::make_shared<Graph>();
  for (const auto& [name, column] : {std::pair(&op.source, &graph->source), std::pair(&op.target, &graph->target)}) {
    const auto* const found = find_column(relation.columns, name->text);
    if (found == nullptr) return diagnose(code::kUnknownName, name->span, "there is no column '" + name->text + "'");
    if (found->type == Type::dynamic) return diagnose(code::kType, name->span, "a dynamic value identifies no node");
    *column = *found;
  }
  const Type type = graph->source.type;
  if (graph->target.type != type) {
    return diagnose(code::kType, op.target.span, "the two ends of an edge must be of one type");
  }
  TRY(graph->edges, once(std::move(relation.node), relation.columns, span));
  graph->edge_columns = relation.columns;
  // All ids: of the edges' ends and of the tables.
  Union all;
  const auto id = new_column();
  all.columns = {{id, type}};
  all.branches.push_back({graph->edges, {reference(graph->source)}});
  all.branches.push_back({graph->edges, {reference(graph->target)}});
  std::vector<Relation> tables;
  for (const auto& nodes : op.nodes) {
    TRY(auto table, bind_pipeline(*nodes.table));
    const auto* const column = find_column(table.columns, nodes.id.text);
    if (column == nullptr) {
      return diagnose(code::kUnknownName, nodes.id.span, "there is no column '" + nodes.id.text + "'");
    }
    if (column->type != type) {
      return diagnose(code::kType, nodes.id.span, "the ids of nodes are of another type than the ends of the edges");
    }
    if (nodes.id.text != op.nodes[0].id.text) {
      return diagnose(code::kUnsupported, nodes.id.span, "two tables of nodes whose ids have different names");
    }
    TRY(table.node, once(std::move(table.node), table.columns, span));
    all.branches.push_back({table.node, {reference(*find_column(table.columns, nodes.id.text))}});
    tables.push_back(std::move(table));
  }
  TRY(auto ids, make_node(std::move(all), span));
  graph->node_id = {"", type, new_column(), type != Type::string};
  Aggregate distinct{std::move(ids), {{graph->node_id.id, column_ref(id, type, type != Type::string)}}, {}, {}};
  TRY(graph->nodes, make_node(std::move(distinct), span));
  if (op.node_id) {
    graph->node_columns = {graph->node_id};
    graph->node_columns[0].name = op.node_id->text;
  }
  for (std::size_t i = 0; i < tables.size(); ++i) {
    TRY_VOID(add_properties(*graph, std::move(tables[i]), op.nodes[i].id, span));
  }
  auto columns = graph->node_columns;
  columns.push_back(graph->node_id);
  TRY(graph->nodes, once(std::move(graph->nodes), columns, span));
  relation = Relation{.node = graph->edges, .columns = graph->edge_columns};
  relation.graph = std::move(graph);
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::GraphComponents& op, Span span) {
  auto graph = std::make_shared<Graph>(*relation.graph);
  const ScopeColumn component{op.id.text, Type::int64, new_column(), false};
  TRY_VOID(add_column(graph->node_columns, component, op.id.span));
  Components out{.nodes = graph->nodes,
                 .node_id = graph->node_id.id,
                 .edges = graph->edges,
                 .source = graph->source.id,
                 .target = graph->target.id,
                 .column = component.id,
                 .strong = op.strong};
  TRY(graph->nodes, make_node(std::move(out), span));
  auto columns = graph->node_columns;
  columns.push_back(graph->node_id);
  TRY(graph->nodes, once(std::move(graph->nodes), columns, span));
  relation.graph = std::move(graph);
  return {};
}

Checked<> Binder::apply(Relation& relation, const ast::GraphToTable& op, Span span) {
  const auto graph = relation.graph;
  const auto hashes = {std::pair(&op.id, op.nodes ? &graph->node_id : &graph->source),
                       std::pair(&op.target_id, &graph->target)};
  Relation out{.node = op.nodes ? graph->nodes : graph->edges, .columns = {}};
  std::vector<NamedExpr> computed;
  for (const auto& [name, column] : hashes) {
    if (name->text.empty()) continue;
    if (column->type != Type::string) {
      return diagnose(code::kUnsupported, name->span, "the hash of a node whose id is not a string");
    }
    const auto id = new_column();
    computed.push_back({id, call(kHashOp, Type::int64, {reference(*column)}, false)});
    TRY_VOID(add_column(out.columns, {name->text, Type::int64, id, false}, name->span));
  }
  for (const auto& column : op.nodes ? graph->node_columns : graph->edge_columns) {
    TRY_VOID(add_column(out.columns, column, span));
  }
  if (out.columns.empty()) return diagnose(code::kArguments, span, "the nodes of this graph have no columns");
  if (!computed.empty()) {
    TRY(out.node, make_node(Extend{std::move(out.node), std::move(computed)}, span));
  }
  relation = std::move(out);
  return {};
}

}  // namespace picket::kql
