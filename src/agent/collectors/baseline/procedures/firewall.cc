// firewall: what the packet filter of the running device does by default. Images: rules use `text` on the filter's
// files.
#include <algorithm>

#include "baseline/procedure.h"

namespace picket::agent::baseline {
namespace {

std::string_view detail_of(const FirewallRule& rule, std::string_view key) {
  const auto found = std::ranges::find(rule.details, key, [](const auto& each) { return each.first; });
  return found == rule.details.end() ? std::string_view{} : std::string_view(found->second);
}

/// At this hook of the network layer, and for one of these families ("inet", "ip", "ip6").
bool stands_at(const FirewallRule& rule, std::string_view hook, std::span<const std::string_view> families) {
  return detail_of(rule, "Hook") == hook && std::ranges::find(families, detail_of(rule, "Family")) != families.end();
}

/// Asks nothing of the packet.
bool matches_all(const FirewallRule& rule) {
  for (const char* const condition : {"CtState", "InInterface", "OutInterface", "Match", "Set"}) {
    if (!detail_of(rule, condition).empty()) return false;
  }
  return rule.source_address.empty() && rule.destination_address.empty() && rule.source_port.empty() &&
         rule.destination_port.empty() && rule.protocol.empty();
}

}  // namespace

State check_firewall(Check& check) {
  const FirewallPicture* const picture = check.facts.firewall();
  if (picture == nullptr) {
    observe(check.observed, check.facts.root().live() ? "the packet filter cannot be read" : "not the running device");
    return check.facts.root().live() ? State::error : State::skip;
  }
  using enum message::FirewallAction;
  const std::string_view what = check.parameters.text("what"), hook = check.parameters.text("hook");
  if (what == "rules") {
    const auto count = std::ranges::count_if(
        picture->rules, [](const PlacedRule& each) { return detail_of(each.rule, "Rule") != "policy"; });
    observe(check.observed, std::to_string(count), " rules");
    return pass_if(count > 0);
  }
  // "default": a base chain at the hook ends with drop, by its policy or by a last rule that takes all.
  bool denies = false;
  for (std::size_t i = 0; i < picture->rules.size(); ++i) {
    const FirewallRule& rule = picture->rules[i].rule;
    if (!stands_at(rule, hook, check.parameters.list("families"))) continue;
    const bool policy = detail_of(rule, "Rule") == "policy";
    const bool last = policy || i + 1 == picture->rules.size() || picture->rules[i + 1].rule.chain != rule.chain ||
                      detail_of(picture->rules[i + 1].rule, "Rule") == "policy";
    if (rule.action == Deny && last && (policy || matches_all(rule))) denies = true;
  }
  observe(check.observed, hook, denies ? ": what no rule names is dropped" : ": what no rule names passes");
  return pass_if(denies);
}

}  // namespace picket::agent::baseline
