// Graphs: make-graph, graph-match, graph-shortest-paths, graph-mark-components, graph-to-table.
#include <algorithm>

#include "parser_state.h"

namespace picket::kql {

namespace {

std::unexpected<Diagnostic> unsupported(Span span, std::string_view what) {
  return diagnose(code::kUnsupported, span, std::string(what) + " is not supported");
}

}  // namespace

/// name=: true if it stood here.
bool Parser::accept_option(std::string_view name) {
  if (!at(name) || !at("=", 1)) return false;
  take();
  take();
  return true;
}

Checked<ast::MakeGraph> Parser::make_graph() {
  ast::MakeGraph out;
  TRY_VOID(skip_hints());
  TRY(out.source, name("the column of the edges' sources"));
  for (const auto part : {"-", "-", ">"}) TRY_VOID(expect(part, "in '-->' between the ends of an edge"));
  TRY(out.target, name("the column of the edges' targets"));
  if (accept_option("with_node_id")) {
    TRY(out.node_id, name("a column name after 'with_node_id='"));
  } else if (accept("with")) {
    do {
      ast::MakeGraph::Nodes nodes;
      if (at("(")) {
        TRY(nodes.table, bracketed_pipeline());
      } else {
        nodes.table = std::make_unique<ast::Pipeline>();
        nodes.table->span = peek().span;
        TRY_VOID(source(*nodes.table));
      }
      TRY_VOID(expect("on", "after a table of nodes"));
      TRY(nodes.id, name("the column of the nodes' ids"));
      out.nodes.push_back(std::move(nodes));
    } while (accept(","));
    if (out.nodes.size() > 2) return unsupported(out.nodes[2].id.span, "a third table of nodes");
  }
  if (at("partitioned") && at("-", 1)) return unsupported(peek().span, "'partitioned-by'");
  return out;
}

/// (a): the place of the node among all of the pattern, a new one unless the name is known.
Checked<std::size_t> Parser::graph_node(ast::GraphMatch& out) {
  TRY_VOID(expect("(", "before a node of the pattern"));
  ast::Name node;
  node.span = peek().span;
  if (!at(")")) {
    TRY(node, name("the name of a node"));
  }
  TRY_VOID(expect(")", "after a node of the pattern"));
  if (!node.text.empty()) {
    const auto known = std::ranges::find(out.nodes, node.text, &ast::Name::text);
    if (known != out.nodes.end()) return static_cast<std::size_t>(known - out.nodes.begin());
  }
  out.nodes.push_back(std::move(node));
  if (out.nodes.size() > kGraphPatternMax) return diagnose(code::kLimit, out.nodes.back().span, "too many nodes");
  return out.nodes.size() - 1;
}

/// -[e]->, <-[e]-, -[e]-, -[e*1..3]->, -->, <--, --: all but its ends.
Checked<ast::GraphMatch::Edge> Parser::graph_edge() {
  using Direction = ast::GraphMatch::Direction;
  ast::GraphMatch::Edge out;
  out.name.span = peek().span;
  const bool left = accept("<");
  TRY_VOID(expect("-", "in an edge of the pattern"));
  if (accept("[")) {
    if (!at("*") && !at("]")) {
      TRY(out.name, name("the name of an edge"));
    }
    if (accept("*")) {
      out.variable = true;
      TRY(out.least, whole_literal("the least length of a path"));
      TRY_VOID(expect("..", "between the lengths of a path"));
      TRY(out.most, whole_literal("the largest length of a path"));
      if (out.most < out.least || out.most > kGraphPathMax) {
        return diagnose(code::kArguments, out.name.span,
                        "the lengths of a path go from the smaller to the larger, which is at most " +
                            std::to_string(kGraphPathMax));
      }
    }
    TRY_VOID(expect("]", "after the name of an edge"));
  }
  TRY_VOID(expect("-", "in an edge of the pattern"));
  const bool right = accept(">");
  if (left && right) return diagnose(code::kSyntax, out.name.span, "an edge has one direction, or none");
  out.direction = left ? Direction::left : right ? Direction::right : Direction::any;
  return out;
}

Checked<std::int64_t> Parser::whole_literal(std::string_view what) {
  const auto* value = peek().kind == TokenKind::literal && peek().value.type == Type::int64
                          ? std::get_if<std::int64_t>(&peek().value.data)
                          : nullptr;
  if (value == nullptr) return expected(what);
  const auto out = *value;
  take();
  return out;
}

Checked<ast::GraphMatch> Parser::graph_match(bool shortest) {
  using Cycles = ast::GraphMatch::Cycles;
  ast::GraphMatch out;
  out.shortest = shortest;
  TRY_VOID(skip_hints());
  if (!shortest && accept_option("cycles")) {
    if (!at("all") && !at("none") && !at("unique_edges")) return expected("'all', 'none' or 'unique_edges'");
    const auto word = take().text;
    out.cycles = word == "all" ? Cycles::all : word == "none" ? Cycles::none : Cycles::unique_edges;
  }
  if (shortest && accept_option("output")) {
    if (!at("any") && !at("all")) return expected("'any' or 'all'");
    out.all_paths = take().text == "all";
  }
  const auto start = peek().span.start;
  do {
    ++out.sequences;
    TRY(auto from, graph_node(out));
    while (at("-") || at("<")) {
      TRY(auto edge, graph_edge());
      edge.from = from;
      TRY(edge.to, graph_node(out));
      from = edge.to;
      out.edges.push_back(std::move(edge));
    }
  } while (accept(","));
  out.pattern = since(start);
  if (accept("where")) {
    TRY(out.predicate, expression());
  }
  TRY_VOID(expect("project", "after the pattern"));
  TRY(out.columns, assignments());
  return out;
}

Checked<ast::GraphComponents> Parser::graph_components() {
  ast::GraphComponents out;
  out.id = {"ComponentId", peek().span};
  for (;;) {
    if (accept_option("kind")) {
      if (!at("weak") && !at("strong")) return expected("'weak' or 'strong'");
      out.strong = take().text == "strong";
    } else if (accept_option("with_component_id")) {
      TRY(out.id, name("a column name after 'with_component_id='"));
    } else {
      return out;
    }
  }
}

Checked<ast::GraphToTable> Parser::graph_to_table() {
  ast::GraphToTable out;
  if (!at("nodes") && !at("edges")) return expected("'nodes' or 'edges'");
  out.nodes = take().text == "nodes";
  if (at("as")) return unsupported(peek().span, "'as' of 'graph-to-table'");
  for (const auto option : {"with_node_id", "with_source_id", "with_target_id"}) {
    const Span span = peek().span;
    if (!accept_option(option)) continue;
    if (out.nodes != (std::string_view(option) == "with_node_id")) return expected("the end of 'graph-to-table'");
    TRY(auto column, name("a column name"));
    (std::string_view(option) == "with_target_id" ? out.target_id : out.id) = std::move(column);
    (void)span;
  }
  if (at(",")) return unsupported(peek().span, "'graph-to-table' of nodes and edges at once");
  return out;
}

}  // namespace picket::kql
