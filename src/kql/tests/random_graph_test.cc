// Random patterns in random graphs against a walk that tries everything.
#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "duckdb_runner.h"
#include "kql/compile.h"

namespace picket::kql::testing {
namespace {

enum class Way { right, left, any };
enum class Cycles { all, none, unique_edges };

struct GraphEdge {
  int from, to, weight;
};

struct Part {
  Way way = Way::right;
  bool variable = false;
  int least = 1, most = 1;
  int above = -1;  ///< all(e, w > above)
};

struct Pattern {
  std::vector<Part> parts;
  bool closed = false;  ///< It ends where it began.
  Cycles cycles = Cycles::unique_edges;
  int first = -1;  ///< The first node has this number.
  int last = -1;
};

std::string name_of(int node) { return std::string(1, static_cast<char>('a' + node)); }

std::string query_of(const std::vector<GraphEdge>& edges, const Pattern& pattern) {
  std::string out = "datatable(s:string, t:string, w:long)[";
  for (const auto& edge : edges) {
    out += (out.ends_with('[') ? "'" : ", '") + name_of(edge.from) + "', '" + name_of(edge.to) + "', " +
           std::to_string(edge.weight);
  }
  out += "] | make-graph s --> t with_node_id=id | graph-match cycles=";
  out += pattern.cycles == Cycles::all ? "all" : pattern.cycles == Cycles::none ? "none" : "unique_edges";
  out += " (n0)";
  std::string conditions;
  std::string columns = "n0.id";
  const auto ask = [&](const std::string& condition) {
    conditions += (conditions.empty() ? " where " : " and ") + condition;
  };
  for (std::size_t i = 0; i < pattern.parts.size(); ++i) {
    const auto& part = pattern.parts[i];
    const auto edge = "e" + std::to_string(i);
    const auto node = pattern.closed && i + 1 == pattern.parts.size() ? std::string("n0") : "n" + std::to_string(i + 1);
    out += std::string(part.way == Way::left ? "<-[" : "-[") + edge +
           (part.variable ? "*" + std::to_string(part.least) + ".." + std::to_string(part.most) : std::string()) +
           (part.way == Way::right ? "]->(" : "]-(") + node + ")";
    if (part.variable) {
      columns += ", map(" + edge + ", w), map(inner_nodes(" + edge + "), id)";
      if (part.above >= 0) ask("all(" + edge + ", w > " + std::to_string(part.above) + ")");
    } else {
      columns += ", " + edge + ".w";
    }
    columns += ", " + node + ".id";
  }
  if (pattern.first >= 0) ask("n0.id == '" + name_of(pattern.first) + "'");
  if (pattern.last >= 0 && !pattern.closed) {
    ask("n" + std::to_string(pattern.parts.size()) + ".id == '" + name_of(pattern.last) + "'");
  }
  return out + conditions + " project " + columns;
}

/// All matches by trying each way from each node, as the rows that the query prints.
class Walk {
 public:
  Walk(const std::vector<GraphEdge>& edges, const Pattern& pattern) : edges_(edges), pattern_(pattern) {}

  std::vector<std::string> rows() {
    std::vector<int> nodes;
    for (const auto& edge : edges_) {
      nodes.push_back(edge.from);
      nodes.push_back(edge.to);
    }
    std::ranges::sort(nodes);
    nodes.erase(std::ranges::unique(nodes).begin(), nodes.end());
    for (const int node : nodes) {
      if (pattern_.first >= 0 && node != pattern_.first) continue;
      start_ = node;
      visited_ = {node};
      go(0, node, "\"" + name_of(node) + "\"");
    }
    std::ranges::sort(out_);
    return out_;
  }

 private:
  /// Calls `then` for each step that may be made from `node`.
  void step(const Part& part, int node, const std::function<void(const GraphEdge&, int)>& then) {
    for (std::size_t i = 0; i < edges_.size(); ++i) {
      const auto& edge = edges_[i];
      const bool forth = part.way != Way::left && edge.from == node;
      const bool back = part.way != Way::right && edge.to == node && !(forth && edge.from == edge.to);
      for (const int to : {forth ? edge.to : -1, back ? edge.from : -1}) {
        if (to < 0) continue;
        if (pattern_.cycles == Cycles::unique_edges && std::ranges::count(used_, i) > 0) continue;
        if (pattern_.cycles == Cycles::none && std::ranges::count(visited_, to) > 0) continue;
        used_.push_back(i);
        visited_.push_back(to);
        then(edge, to);
        used_.pop_back();
        visited_.pop_back();
      }
    }
  }

  void go(std::size_t at, int node, const std::string& row) {
    if (at == pattern_.parts.size()) {
      if (pattern_.closed && node != start_) return;
      if (!pattern_.closed && pattern_.last >= 0 && node != pattern_.last) return;
      out_.push_back(row);
      return;
    }
    const auto& part = pattern_.parts[at];
    if (!part.variable) {
      step(part, node, [&](const GraphEdge& edge, int to) {
        go(at + 1, to, row + " | " + std::to_string(edge.weight) + " | \"" + name_of(to) + "\"");
      });
      return;
    }
    path(at, node, 0, row, "", "");
  }

  void path(std::size_t at, int node, int length, const std::string& row, const std::string& weights,
            const std::string& inner) {
    const auto& part = pattern_.parts[at];
    if (length >= part.least) {
      go(at + 1, node, row + " | [" + weights + "] | [" + inner + "] | \"" + name_of(node) + "\"");
    }
    if (length == part.most) return;
    const auto left = length == 0 ? inner : inner + (inner.empty() ? "\"" : ",\"") + name_of(node) + "\"";
    step(part, node, [&](const GraphEdge& edge, int to) {
      if (part.above >= 0 && edge.weight <= part.above) return;
      path(at, to, length + 1, row, weights + (weights.empty() ? "" : ",") + std::to_string(edge.weight), left);
    });
  }

  const std::vector<GraphEdge>& edges_;
  const Pattern& pattern_;
  int start_ = 0;
  std::vector<std::size_t> used_;
  std::vector<int> visited_;
  std::vector<std::string> out_;
};

TEST(KqlRandomGraphs, PatternsAreFoundAsOftenAsTheyAreThere) {
  std::mt19937 random(20'261'122);
  const auto below = [&](int limit) { return static_cast<int>(random() % static_cast<unsigned>(limit)); };
  DuckdbRunner engine("");
  const Schema schema;
  std::size_t found = 0;
  for (int round = 0; round < 120; ++round) {
    std::vector<GraphEdge> edges;
    const int nodes = 2 + below(4);
    for (int i = 1 + below(7); i > 0; --i) edges.push_back({below(nodes), below(nodes), below(9)});
    Pattern pattern;
    for (int i = 1 + below(3); i > 0; --i) {
      Part part{.way = static_cast<Way>(below(3))};
      part.variable = below(2) == 0;
      if (part.variable) {
        part.least = below(3);
        part.most = part.least + below(3);
        if (below(3) == 0) part.above = below(4);
      }
      pattern.parts.push_back(part);
    }
    pattern.closed = below(4) == 0;
    pattern.cycles = static_cast<Cycles>(below(3));
    if (below(2) == 0) pattern.first = below(nodes);
    if (below(3) == 0) pattern.last = below(nodes);
    const auto query = query_of(edges, pattern);
    SCOPED_TRACE(query);
    const auto expected = Walk(edges, pattern).rows();
    constexpr std::size_t kRowsMax = 20'000;
    if (expected.size() > kRowsMax) continue;
    const auto compiled = compile(query, schema, Options{});
    ASSERT_TRUE(compiled.has_value()) << render(compiled.error().front(), query);
    auto rows = engine.run(*compiled);
    ASSERT_TRUE(rows.has_value()) << rows.error();
    std::ranges::sort(*rows);
    ASSERT_EQ(*rows, expected);
    found += rows->size();
  }
  EXPECT_GT(found, 200U);
}

}  // namespace
}  // namespace picket::kql::testing
