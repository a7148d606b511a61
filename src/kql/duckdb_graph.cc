// Graphs: tables that are computed once, components, and patterns as joins, one for each edge; an edge of variable
// length is a recursive table expression that begins at what was found before it.
#include "duckdb_writer.h"

namespace picket::kql {

namespace {

std::string column_name(ColumnId column) { return "c" + std::to_string(column); }
std::string node_name(std::size_t node) { return "n" + std::to_string(node); }
std::string along_name(ColumnId column) { return "a" + std::to_string(column); }

/// The list with one element more, behind or in front of the others.
std::string longer(const std::string& list, const std::string& element, bool front) {
  return front ? "list_prepend(" + element + ", " + list + ")" : "list_append(" + list + ", " + element + ")";
}

}  // namespace

std::string DuckdbWriter::define_once(std::string select) {
  auto out = define(std::move(select));
  materialized_.insert(tables_.size() - 1);
  return out;
}

std::string DuckdbWriter::node(const Once& once, const Needed& /*needed*/) {
  const auto found = once_.find(&once);
  if (found != once_.end()) return found->second;
  Needed all;
  for (const auto& [column, type] : once.columns) all.insert(column);
  const auto input = node(once.input, all);
  auto out = define_once("SELECT " + list(all) + " FROM " + input);
  once_.emplace(&once, out);
  return out;
}

/// Nodes are numbered, a native function says of each number its component.
std::string DuckdbWriter::node(const Components& components, const Needed& needed) {
  auto below = needed;
  below.erase(components.column);
  const auto kept = below;
  below.insert(components.node_id);
  const auto id = column_name(components.node_id);
  const auto nodes = node(components.nodes, below);
  const auto edges = node(components.edges, {components.source, components.target});
  const auto numbered = define_once("SELECT *, row_number() OVER (ORDER BY " + id + ") - 1 AS place FROM " + nodes);
  const auto same = [&](const char* alias, ColumnId end) {
    return std::string(alias) + "." + id + " IS NOT DISTINCT FROM e." + column_name(end);
  };
  const auto found = define("SELECT string_split(kql_graph_components((SELECT count(*) FROM " + numbered +
                            "), coalesce((SELECT string_agg(concat(a.place, ',', b.place), ',') FROM " + edges +
                            " AS e JOIN " + numbered + " AS a ON " + same("a", components.source) + " JOIN " +
                            numbered + " AS b ON " + same("b", components.target) + "), ''), " +
                            (components.strong ? "TRUE" : "FALSE") + "), ',') AS all_found");
  const auto placed = define("SELECT unnest(all_found) AS found, unnest(range(len(all_found))) AS place FROM " + found);
  std::string columns;
  for (const auto column : kept) columns += "n." + column_name(column) + ", ";
  return define("SELECT " + columns + "CAST(p.found AS BIGINT) AS " + column_name(components.column) + " FROM " +
                numbered + " AS n JOIN " + placed + " AS p ON p.place = n.place");
}

/// The matches so far: a table expression, and which of its columns are there.
struct DuckdbWriter::Found {
  std::string table;
  std::vector<std::string> columns;
  [[nodiscard]] std::string list(const char* alias) const {
    std::string out;
    for (const auto& column : columns) out += std::string(alias) + "." + column + ", ";
    return out;
  }
};

/// The graph's edges with a number and what paths ask of them; its nodes likewise.
DuckdbWriter::GraphTables DuckdbWriter::graph_tables(const Matches& matches, const Needed& wanted) {
  Needed edges = {matches.source, matches.target};
  Needed nodes = {matches.node_id};
  std::string asked_of_edges;
  std::string asked_of_nodes;
  for (const auto& outputs : matches.edges_out) {
    for (const auto& one : outputs) {
      if (wanted.contains(one.column)) edges.insert(one.from);
    }
  }
  for (const auto& outputs : matches.nodes_out) {
    for (const auto& one : outputs) {
      if (wanted.contains(one.column)) nodes.insert(one.from);
    }
  }
  for (const auto& one : matches.along) {
    if (!wanted.contains(one.column)) continue;
    collect(*one.value, one.inner ? nodes : edges);
    const bool list = one.kind == Matches::Along::Kind::list;
    (one.inner ? asked_of_nodes : asked_of_edges) +=
        ", " + (list ? value(*one.value) : "coalesce(" + condition(*one.value) + ", FALSE)") + " AS " +
        along_name(one.column);
  }
  GraphTables out;
  const auto edge_rows = node(matches.edges, edges);
  out.edges =
      define_once("SELECT " + list(edges) + asked_of_edges + ", row_number() OVER () AS edge FROM " + edge_rows);
  const auto node_rows = node(matches.nodes, nodes);
  out.nodes =
      asked_of_nodes.empty() ? node_rows : define_once("SELECT " + list(nodes) + asked_of_nodes + " FROM " + node_rows);
  return out;
}

/// Properties of a node of the pattern that was reached.
void DuckdbWriter::add_node(Found& found, const Matches& matches, std::size_t place, const Needed& wanted,
                            const GraphTables& graph) {
  std::string columns;
  auto names = found.columns;
  for (const auto& one : matches.nodes_out[place]) {
    if (!wanted.contains(one.column)) continue;
    columns += "x." + column_name(one.from) + " AS " + column_name(one.column) + ", ";
    names.push_back(column_name(one.column));
  }
  if (columns.empty()) return;
  columns = found.list("m") + columns;
  columns.resize(columns.size() - 2);
  found.table = define("SELECT " + columns + " FROM " + found.table + " AS m JOIN " + graph.nodes + " AS x ON x." +
                       column_name(matches.node_id) + " = m." + node_name(place));
  found.columns = std::move(names);
}

/// The edges as this part of the pattern may follow them: from `f` to `t`.
std::string DuckdbWriter::directed(const Matches& matches, const Matches::Hop& hop, const GraphTables& graph) {
  const auto source = column_name(matches.source);
  const auto target = column_name(matches.target);
  const auto way = [&](const std::string& from, const std::string& to) {
    return "SELECT *, " + from + " AS f, " + to + " AS t FROM " + graph.edges;
  };
  if (!hop.against_edges) return define(way(source, target));
  if (!hop.along_edges) return define(way(target, source));
  return define(way(source, target) + " UNION ALL " + way(target, source) + " WHERE " + source + " <> " + target);
}

/// What makes a step a new one, over the match `m` and the edge `e`.
std::string DuckdbWriter::step_condition(const Matches& matches) {
  std::string out;
  if (matches.unique_edges) out += " AND NOT list_contains(m.used_edges, e.edge)";
  if (matches.unique_nodes) out += " AND NOT list_contains(m.used_nodes, e.t)";
  return out;
}

void DuckdbWriter::follow_edge(Found& found, const Matches& matches, const Matches::Hop& hop, const Needed& wanted,
                               const GraphTables& graph) {
  const auto edges = directed(matches, hop, graph);
  std::string columns;
  std::vector<std::string> names;
  for (const auto& name : found.columns) {
    names.push_back(name);
    columns += name == "used_edges"   ? "list_append(m.used_edges, e.edge) AS used_edges, "
               : name == "used_nodes" ? "list_append(m.used_nodes, e.t) AS used_nodes, "
               : name == "steps"      ? "m.steps + 1 AS steps, "
                                      : "m." + name + ", ";
  }
  if (!hop.closes) {
    columns += "e.t AS " + node_name(hop.to) + ", ";
    names.push_back(node_name(hop.to));
  }
  for (const auto& one : matches.edges_out[hop.edge]) {
    if (!wanted.contains(one.column)) continue;
    columns += "e." + column_name(one.from) + " AS " + column_name(one.column) + ", ";
    names.push_back(column_name(one.column));
  }
  columns.resize(columns.size() - 2);
  found.table =
      define("SELECT " + columns + " FROM " + found.table + " AS m JOIN " + edges + " AS e ON e.f = m." +
             node_name(hop.from) + (hop.closes ? " AND e.t = m." + node_name(hop.to) : "") + step_condition(matches));
  found.columns = std::move(names);
}

void DuckdbWriter::follow_path(Found& found, const Matches& matches, const Matches::Hop& hop, const Needed& wanted,
                               const GraphTables& graph) {
  using Kind = Matches::Along::Kind;
  const auto edges = directed(matches, hop, graph);
  std::string begin =
      "SELECT " + found.list("m") + "m." + node_name(hop.from) + " AS place, CAST(0 AS BIGINT) AS depth";
  std::string step;
  for (const auto& name : found.columns) {
    step += name == "used_edges"   ? "list_append(m.used_edges, e.edge), "
            : name == "used_nodes" ? "list_append(m.used_nodes, e.t), "
            : name == "steps"      ? "m.steps + 1, "
                                   : "m." + name + ", ";
  }
  step += "e.t, m.depth + 1";
  std::string end = found.list("m");
  auto names = found.columns;
  if (!hop.closes) {
    end += "m.place AS " + node_name(hop.to) + ", ";
    names.push_back(node_name(hop.to));
  }
  bool reads_nodes = false;
  std::string pruned;
  for (const auto& one : matches.along) {
    if (one.edge != hop.edge || !wanted.contains(one.column)) continue;
    const auto name = along_name(one.column);
    const auto mine = "m." + name;
    const auto element = (one.inner ? "x." : "e.") + name;
    const auto more = one.kind == Kind::list  ? longer(mine, element, hop.backward)
                      : one.kind == Kind::all ? "(" + mine + " AND " + element + ")"
                                              : "(" + mine + " OR " + element + ")";
    begin += (one.kind == Kind::list  ? ", CAST([] AS VARCHAR[]) AS "
              : one.kind == Kind::all ? ", TRUE AS "
                                      : ", FALSE AS ") +
             name;
    // The node that a step leaves is an inner one, but for the first.
    step += one.inner ? ", CASE WHEN m.depth > 0 THEN " + more + " ELSE " + mine + " END" : ", " + more;
    end += (one.kind == Kind::list ? "concat('[', array_to_string(" + mine + ", ','), ']')" : mine) + " AS " +
           column_name(one.column) + ", ";
    names.push_back(column_name(one.column));
    reads_nodes = reads_nodes || one.inner;
    if (one.prunes) pruned += " AND e." + name;
  }
  recursive_ = true;
  const auto self = next_table();
  const auto walks = define(
      begin + " FROM " + found.table + " AS m UNION ALL SELECT " + step + " FROM " + self + " AS m JOIN " + edges +
      " AS e ON e.f = m.place AND m.depth < " + std::to_string(hop.most) + step_condition(matches) + pruned +
      (reads_nodes ? " JOIN " + graph.nodes + " AS x ON x." + column_name(matches.node_id) + " = m.place" : ""));
  end.resize(end.size() - 2);
  found.table = define("SELECT " + end + " FROM " + walks + " AS m WHERE m.depth >= " + std::to_string(hop.least) +
                       (hop.closes ? " AND m.place = m." + node_name(hop.to) : ""));
  found.columns = std::move(names);
}

std::string DuckdbWriter::node(const Matches& matches, const Needed& needed) {
  auto wanted = needed;
  for (const auto& one : matches.conditions) collect(*one.condition, wanted);
  const auto graph = graph_tables(matches, wanted);
  const auto id = column_name(matches.node_id);
  std::string first = "SELECT " + id + " AS " + node_name(matches.seed);
  Found found{{}, {node_name(matches.seed)}};
  if (matches.unique_edges) {
    first += ", CAST([] AS BIGINT[]) AS used_edges";
    found.columns.emplace_back("used_edges");
  }
  if (matches.unique_nodes) {
    first += ", [" + id + "] AS used_nodes";
    found.columns.emplace_back("used_nodes");
  }
  if (matches.length) {
    first += ", CAST(0 AS BIGINT) AS steps";
    found.columns.emplace_back("steps");
  }
  found.table = define(first + " FROM " + graph.nodes);
  add_node(found, matches, matches.seed, wanted, graph);
  const auto ask = [&](std::size_t after) {
    std::string asked;
    for (const auto& one : matches.conditions) {
      if (one.after == after) asked += (asked.empty() ? "" : " AND ") + condition(*one.condition);
    }
    if (!asked.empty()) found.table = define("SELECT * FROM " + found.table + " WHERE " + asked);
  };
  ask(0);
  for (std::size_t i = 0; i < matches.hops.size(); ++i) {
    const auto& hop = matches.hops[i];
    if (hop.variable) {
      follow_path(found, matches, hop, wanted, graph);
    } else {
      follow_edge(found, matches, hop, wanted, graph);
    }
    if (!hop.closes) add_node(found, matches, hop.to, wanted, graph);
    ask(i + 1);
  }
  if (!matches.length) return found.table;
  return define("SELECT *, steps AS " + column_name(*matches.length) + " FROM " + found.table);
}

}  // namespace picket::kql
