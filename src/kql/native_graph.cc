#include <algorithm>
#include <charconv>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "kql/native_families.h"

namespace picket::kql {

namespace {

using Links = std::vector<std::vector<std::uint32_t>>;

/// Numbers with commas between them; those that are too large end the list.
std::vector<std::uint32_t> numbers(std::string_view text, std::uint32_t below) {
  std::vector<std::uint32_t> out;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    std::uint32_t value = 0;
    const auto [next, failed] = std::from_chars(at, end, value);
    if (failed != std::errc() || value >= below) break;
    out.push_back(value);
    at = next < end ? next + 1 : next;
  }
  return out;
}

std::vector<std::uint32_t> weak_components(std::uint32_t nodes, const std::vector<std::uint32_t>& edges) {
  std::vector<std::uint32_t> parent(nodes);
  std::iota(parent.begin(), parent.end(), 0U);
  const auto root = [&](std::uint32_t node) {
    while (parent[node] != node) node = parent[node] = parent[parent[node]];
    return node;
  };
  for (std::size_t i = 0; i + 1 < edges.size(); i += 2) parent[root(edges[i])] = root(edges[i + 1]);
  std::vector<std::uint32_t> out(nodes);
  for (std::uint32_t node = 0; node < nodes; ++node) out[node] = root(node);
  return out;
}

/// The nodes in the order in which a search that goes on as deep as it can has done with them.
std::vector<std::uint32_t> finishing_order(const Links& links) {
  const auto nodes = static_cast<std::uint32_t>(links.size());
  std::vector<std::uint32_t> out;
  std::vector<bool> seen(nodes, false);
  std::vector<std::pair<std::uint32_t, std::size_t>> stack;
  for (std::uint32_t first = 0; first < nodes; ++first) {
    if (seen[first]) continue;
    seen[first] = true;
    stack.emplace_back(first, 0);
    while (!stack.empty()) {
      auto& [node, at] = stack.back();
      if (at == links[node].size()) {
        out.push_back(node);
        stack.pop_back();
        continue;
      }
      const auto next = links[node][at++];
      if (seen[next]) continue;
      seen[next] = true;
      stack.emplace_back(next, 0);
    }
  }
  return out;
}

/// Kosaraju's way: along the edges, then against them in the opposite order.
std::vector<std::uint32_t> strong_components(std::uint32_t nodes, const std::vector<std::uint32_t>& edges) {
  Links along(nodes);
  Links against(nodes);
  for (std::size_t i = 0; i + 1 < edges.size(); i += 2) {
    along[edges[i]].push_back(edges[i + 1]);
    against[edges[i + 1]].push_back(edges[i]);
  }
  auto order = finishing_order(along);
  std::ranges::reverse(order);
  std::vector<std::uint32_t> out(nodes, nodes);
  std::vector<std::uint32_t> stack;
  for (const auto first : order) {
    if (out[first] != nodes) continue;
    out[first] = first;
    stack.push_back(first);
    while (!stack.empty()) {
      const auto node = stack.back();
      stack.pop_back();
      for (const auto next : against[node]) {
        if (out[next] != nodes) continue;
        out[next] = first;
        stack.push_back(next);
      }
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> graph_components(std::int64_t nodes, std::string_view edges, bool strong) {
  if (nodes <= 0) return std::nullopt;
  if (nodes > kGraphNodesMax) throw std::length_error("Out of Memory Error: a graph of more than 1,048,576 nodes");
  const auto count = static_cast<std::uint32_t>(nodes);
  const auto pairs = numbers(edges, count);
  const auto found = strong ? strong_components(count, pairs) : weak_components(count, pairs);
  constexpr auto kNone = static_cast<std::uint32_t>(-1);
  std::vector<std::uint32_t> index(count, kNone);
  std::uint32_t next = 0;
  std::string out;
  for (std::uint32_t node = 0; node < count; ++node) {
    auto& component = index[found[node]];
    if (component == kNone) component = next++;
    out += (node > 0 ? "," : "") + std::to_string(component);
  }
  return out;
}

}  // namespace picket::kql
