#include <algorithm>
#include <charconv>
#include <utility>

#include "detection.h"
#include "schema.h"

namespace picket::sigma {
namespace {

constexpr std::size_t kRulesMax = 32;    ///< That one correlation refers to.
constexpr std::size_t kGroupByMax = 16;  ///< Fields.
constexpr std::int64_t kTimespanDaysMax = 90;

CorrelationKind read_kind(const YamlNode& node) {
  const std::string& text = text_of(node, "correlation.type");
  for (std::uint8_t i = 0; i <= static_cast<std::uint8_t>(CorrelationKind::value_percentile); ++i) {
    if (to_string(static_cast<CorrelationKind>(i)) == text) return static_cast<CorrelationKind>(i);
  }
  refuse(node, "the correlation type '" + text + "' is unknown",
         "There are event_count, value_count, temporal, temporal_ordered, value_sum, value_avg and value_percentile.");
}

Duration read_timespan(const YamlNode& node) {
  const std::string& text = text_of(node, "correlation.timespan");
  std::int64_t count = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  const char unit = text.empty() ? ' ' : text.back();
  const std::int64_t seconds = unit == 's' ? 1 : unit == 'm' ? 60 : unit == 'h' ? 3'600 : unit == 'd' ? 86'400 : 0;
  if (problem != std::errc() || end != text.data() + text.size() - 1 || seconds == 0 || count <= 0) {
    refuse(node, "the timespan '" + text + "' is not understood", "Write a number and s, m, h or d: 90m.");
  }
  if (count > kTimespanDaysMax * 86'400 / seconds) {
    refuse(node, "the timespan '" + text + "' is longer than " + std::to_string(kTimespanDaysMax) + " days",
           "Shorten it.");
  }
  return Duration::seconds(count * seconds);
}

std::vector<std::string> read_fields(const YamlNode& node) {
  if (node.is_list()) return texts_of(node, "correlation.condition.field");
  return {text_of(node, "correlation.condition.field")};
}

double read_number(const YamlNode& node, const std::string& path) {
  double out = 0;
  if (!parse_number(text_of(node, path), out))
    refuse(node, path + " '" + node.text + "' is not a number", "Write a number.");
  return out;
}

void read_condition(const YamlNode& node, Correlation& out) {
  if (!node.is_map()) refuse(node, "correlation.condition is not a map", "Write 'gte: 10' or the like below it.");
  only_keys(node, "correlation.condition", {"gt", "gte", "lt", "lte", "eq", "neq", "field", "percentile"});
  static constexpr std::pair<std::string_view, Comparison> kWords[] = {
      {"gt", Comparison::greater},     {"gte", Comparison::greater_equal}, {"lt", Comparison::less},
      {"lte", Comparison::less_equal}, {"eq", Comparison::equal},          {"neq", Comparison::not_equal}};
  for (const auto& [word, comparison] : kWords) {
    if (const YamlNode* number = node.find(word)) {
      out.bounds.push_back({comparison, read_number(*number, "correlation.condition." + std::string(word))});
    }
  }
  if (out.bounds.empty())
    refuse(node, "correlation.condition compares with nothing", "Write gt, gte, lt, lte, eq or neq.");
  if (out.bounds.size() > 2)
    refuse(node, "correlation.condition has more than two comparisons", "Two may form a range.");
  if (const YamlNode* field = node.find("field")) out.fields = read_fields(*field);
  if (const YamlNode* percentile = node.find("percentile")) {
    out.percentile = read_number(*percentile, "correlation.condition.percentile");
    if (*out.percentile < 0 || *out.percentile > 100)
      refuse(*percentile, "the percentile is not between 0 and 100", "Write 95 or the like.");
  }
}

void read_aliases(const YamlNode& node, Correlation& out) {
  if (!node.is_map()) refuse(node, "correlation.aliases is not a map", "Write 'alias: {rule: field}' below it.");
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    const YamlNode& fields = *node.items[i];
    if (!fields.is_map())
      refuse(fields, "the alias '" + node.keys[i].first + "' is not a map", "Write 'rule: field' below it.");
    for (std::size_t j = 0; j < fields.keys.size(); ++j) {
      const std::string& rule = fields.keys[j].first;
      if (std::ranges::find(out.rules, rule) == out.rules.end()) {
        refuse(
            fields,
            "the alias '" + node.keys[i].first + "' names '" + rule + "', which is not among the correlation's rules",
            "Use the names under 'rules'.");
      }
      out.aliases[node.keys[i].first][rule] = text_of(*fields.items[j], "correlation.aliases");
    }
  }
}

/// What the kind asks for.
void check(const YamlNode& node, const Correlation& out) {
  const std::string kind(to_string(out.kind));
  const bool temporal = out.kind == CorrelationKind::temporal || out.kind == CorrelationKind::temporal_ordered;
  const bool counts_events = out.kind == CorrelationKind::event_count;
  if (!temporal && out.bounds.empty()) refuse(node, kind + " needs a condition", "Write 'condition: {gte: 10}'.");
  if (!temporal && !counts_events && out.fields.empty())
    refuse(node, kind + " needs a field in its condition", "Write 'field: …' beside the comparison.");
  if ((temporal || counts_events) && !out.fields.empty())
    refuse(node, kind + " has a field in its condition, which it does not use", "Leave it out.");
  if (out.fields.size() > 1 && out.kind != CorrelationKind::value_count)
    refuse(node, kind + " has several fields", "Only value_count may have several.");
  if (out.percentile && out.kind != CorrelationKind::value_percentile)
    refuse(node, kind + " has a percentile", "Only value_percentile may have one.");
  if (!temporal) return;
  if (out.rules.size() < 2) refuse(node, kind + " refers to a single rule", "List at least two.");
  for (const Bound& bound : out.bounds) {
    const auto all = static_cast<double>(out.rules.size());
    const bool useful = bound.comparison == Comparison::greater_equal || bound.comparison == Comparison::greater ||
                        (bound.comparison == Comparison::equal && bound.number == all);
    const double needed = bound.comparison == Comparison::greater ? bound.number + 1 : bound.number;
    if (!useful || needed < 1 || needed > all || out.bounds.size() > 1) {
      refuse(node, kind + " has a condition that is not supported",
             "It may ask with gt or gte for 1 to " + std::to_string(out.rules.size()) + " different rules.");
    }
  }
}

}  // namespace

Correlation read_correlation(const YamlNode& document, Head head) {
  Correlation out;
  out.head = std::move(head);
  const YamlNode& node = member(document, "correlation", "correlation");
  if (!node.is_map()) refuse(node, "correlation is not a map", "Write type, rules, group-by and timespan below it.");
  only_keys(node, "correlation", {"type", "rules", "aliases", "group-by", "timespan", "condition", "generate"});
  out.kind = read_kind(member(node, "type", "correlation.type"));
  const YamlNode& rules = member(node, "rules", "correlation.rules");
  out.rules = texts_of(rules, "correlation.rules");
  if (out.rules.empty()) refuse(rules, "correlation.rules is empty", "Name at least one rule.");
  if (out.rules.size() > kRulesMax)
    refuse(rules, "correlation.rules has more than " + std::to_string(kRulesMax) + " entries", "Chain correlations.");
  if (const YamlNode* group = node.find("group-by"); group != nullptr && !group->is_null()) {
    out.group_by = texts_of(*group, "correlation.group-by");
    if (out.group_by.size() > kGroupByMax)
      refuse(*group, "correlation.group-by has more than " + std::to_string(kGroupByMax) + " fields", "Use fewer.");
  }
  out.timespan = read_timespan(member(node, "timespan", "correlation.timespan"));
  if (const YamlNode* condition = node.find("condition")) read_condition(*condition, out);
  if (const YamlNode* aliases = node.find("aliases"); aliases != nullptr && !aliases->is_null())
    read_aliases(*aliases, out);
  const YamlNode* generate = node.find("generate");
  if (generate == nullptr) generate = document.find("generate");
  if (generate != nullptr) out.generate = truth_of(*generate, "generate");
  check(node, out);
  return out;
}

}  // namespace picket::sigma
