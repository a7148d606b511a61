#include "detection.h"

#include <algorithm>
#include <utility>

#include "condition_parser.h"
#include "schema.h"

namespace picket::sigma {
namespace {

Expression read_map(const YamlNode& map, const Placeholders& placeholders) {
  if (map.keys.empty()) refuse(map, "a selection is empty", "Write at least one 'field: value'.");
  Expression out{Expression::Kind::all_of, {}, {}};
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    out.children.push_back(read_item(map.keys[i].first, *map.items[i], placeholders));
  }
  return out;
}

constexpr std::size_t kConditionsMax = 64;

std::vector<Condition> read_conditions(const YamlNode& node) {
  std::vector<Condition> out;
  if (!node.is_list()) {
    out.push_back(parse_condition(text_of(node, "condition"), node.line));
    return out;
  }
  if (node.items.empty()) refuse(node, "condition is an empty list", "Write at least one condition.");
  if (node.items.size() > kConditionsMax)
    refuse(node, "condition has more than " + std::to_string(kConditionsMax) + " entries", "Divide the rule.");
  for (const auto& item : node.items) out.push_back(parse_condition(text_of(*item, "condition"), item->line));
  return out;
}

}  // namespace

Expression read_selection(std::string_view name, const YamlNode& node, const Placeholders& placeholders) {
  if (node.is_map()) return read_map(node, placeholders);
  const std::string quoted = "search identifier '" + std::string(name) + "'";
  if (!node.is_list())
    refuse(node, quoted + " is neither a map nor a list", "Write 'field: value' lines or a list below it.");
  if (node.items.empty()) refuse(node, quoted + " is empty", "Write at least one entry.");
  const bool keywords = std::ranges::none_of(node.items, [](const auto& item) { return item->is_map(); });
  if (keywords) return read_keywords(node, placeholders);
  Expression out{Expression::Kind::any_of, {}, {}};
  for (const auto& item : node.items) {
    if (item->is_list()) refuse(*item, quoted + " has a list inside its list", "List maps or texts.");
    out.children.push_back(item->is_map() ? read_map(*item, placeholders) : read_keywords(*item, placeholders));
  }
  return out;
}

void read_detection(const YamlNode& detection, const Placeholders& placeholders, Rule& rule) {
  if (!detection.is_map())
    refuse(detection, "detection is not a map", "Write search identifiers and a condition below it.");
  if (const YamlNode* timeframe = detection.find("timeframe")) {
    refuse(*timeframe, "'timeframe' is no longer part of Sigma", "Write a correlation rule that refers to this one.");
  }
  const YamlNode& condition = member(detection, "condition", "detection.condition");
  for (std::size_t i = 0; i < detection.keys.size(); ++i) {
    const std::string& name = detection.keys[i].first;
    if (name != "condition")
      rule.selections.emplace_back(name, read_selection(name, *detection.items[i], placeholders));
  }
  if (rule.selections.empty()) refuse(detection, "detection has no search identifier", "Add one, such as 'selection'.");
  rule.conditions = read_conditions(condition);
  for (const Condition& one : rule.conditions) static_cast<void>(resolve(one, rule.selections, condition.line));
}

Expression read_excluded(const YamlNode& filter, const Placeholders& placeholders) {
  std::vector<std::pair<std::string, Expression>> selections;
  for (std::size_t i = 0; i < filter.keys.size(); ++i) {
    const std::string& name = filter.keys[i].first;
    if (name == "rules" || name == "condition") continue;
    selections.emplace_back(name, read_selection(name, *filter.items[i], placeholders));
  }
  const YamlNode& node = member(filter, "condition", "filter.condition");
  Expression out{Expression::Kind::any_of, {}, {}};
  for (const Condition& condition : read_conditions(node)) {
    // "condition: not selection" is how some tools write that the selection is excluded; the specification writes
    // "condition: selection". Both mean the same here (docs/decisions/sigma-filters.md).
    const bool negated = condition.kind == Condition::Kind::negation;
    out.children.push_back(resolve(negated ? condition.children.front() : condition, selections, node.line));
  }
  return out;
}

}  // namespace picket::sigma
