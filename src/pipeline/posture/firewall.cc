// Chains that let everything through, and rules that let in or out nearly everything.
#include <charconv>

#include "base/core/hash.h"
#include "base/core/json_writer.h"
#include "behavior/event_words.h"
#include "net_prefix.h"
#include "posture/device_items.h"
#include "posture/posture.h"

namespace picket::pipeline {
namespace {

using message::Field;

constexpr std::size_t kRulesTold = 32;
/// A rule for so many addresses or ports is for nearly all of them.
constexpr int kWidePrefix4 = 8;
constexpr int kWidePrefix6 = 16;
constexpr int kWidePorts = 1024;

/// The text of an item: what it is, direction, family, and the rule as it is told.
constexpr char kPolicyAllow = 'A', kPolicyDeny = 'D', kRuleAllow = 'R';

std::string member_of(const Json& object, std::string_view name) {
  const auto found = object.find(name);
  return found ? found->text().value_or("") : std::string();
}

/// Empty means any address.
bool is_wide_address(std::string_view text) {
  if (text.empty() || text == "any" || text == "*" || text == "0.0.0.0" || text == "::") return true;
  const auto prefix = parse_net_prefix(text);
  return prefix && prefix->length <= (prefix->ipv6 ? kWidePrefix6 : kWidePrefix4);
}

/// Empty means any port; "1024-65535" and "1024:65535" are ranges.
bool is_wide_port(std::string_view text) {
  if (text.empty() || text == "any" || text == "*") return true;
  const auto dash = text.find_first_of("-:");
  if (dash == std::string_view::npos) return false;
  int first = 0, last = 0;
  std::from_chars(text.data(), text.data() + dash, first);
  std::from_chars(text.data() + dash + 1, text.data() + text.size(), last);
  return last - first + 1 >= kWidePorts;
}

class Firewall final : public SnapshotDetector {
 public:
  Firewall() : SnapshotDetector("posture.firewall") {}

 private:
  bool is_mine(message::EventKind kind) const override { return kind == message::EventKind::FirewallConfiguration; }

  /// Rules have no name on the wire: what they say names them, apart from their place.
  std::string key_of(const DetectorEvent& event) const override {
    const auto rule = event.details();
    if (!rule) return {};
    std::string out;
    for (const std::string_view name : {"ChainName", "Direction", "Protocol", "SourceAddress", "SourcePort",
                                        "DestinationAddress", "DestinationPort", "Application", "Action"}) {
      out += state_key(member_of(*rule, name));
    }
    if (const auto extra = rule->find("ExtraDetails")) {
      extra->for_members([&](std::string_view name, const Json& value) {
        if (name != "Change") out += state_key(name, value.raw());
      });
    }
    return std::to_string(fnv1a64(as_bytes(out)));
  }

  std::string text_of(const DetectorEvent& event) const override {
    const auto rule = event.details();
    const auto enabled = rule ? rule->find("Enabled") : std::nullopt;
    if (!enabled || !enabled->boolean().value_or(true)) return {};
    const std::string direction = member_of(*rule, "Direction");
    if (direction != "In" && direction != "Out") return {};
    const auto extra = rule->find("ExtraDetails");
    const auto detail = [&](std::string_view name) { return extra ? member_of(*extra, name) : std::string(); };
    if (!decides(detail("Filter"), detail("Table"), detail("Hook"), detail("HookPriority"))) return {};
    const std::string action = member_of(*rule, "Action");
    const char family = detail("Family") == "ip6" ? '6' : detail("Family") == "ip" ? '4' : '*';
    const bool policy = detail("Rule") == "policy";
    const bool unconditional = policy || (is_unconditional(*rule) && !has_conditions(extra));
    if (action == "Deny" && unconditional) return {kPolicyDeny, direction[0], family};
    if (action != "Allow") return {};
    if (policy) return std::string{kPolicyAllow, direction[0], family} + member_of(*rule, "ChainName");
    if (!is_permissive(*rule, direction, extra)) return {};
    return std::string{kRuleAllow, direction[0], family} + told(*rule);
  }

  /// Address translation, marking and accounting let nothing through: filters do.
  static bool decides(std::string_view filter, std::string_view table, std::string_view hook,
                      std::string_view priority) {
    if (!hook.empty() && hook != "input" && hook != "output" && hook != "INPUT" && hook != "OUTPUT") return false;
    if (filter == "iptables") return table == "filter";
    if (filter == "nftables") return priority.empty() || priority == "0";
    return true;  // a sender that tells no more
  }

  static bool is_unconditional(const Json& rule) {
    return std::ranges::all_of(
        std::initializer_list<std::string_view>{"Protocol", "SourceAddress", "SourcePort", "DestinationAddress",
                                                "DestinationPort", "Application"},
        [&](std::string_view name) { return member_of(rule, name).empty(); });
  }
  /// Interfaces, states of connections and whatever else narrows it.
  static bool has_conditions(const std::optional<Json>& extra) {
    bool found = false;
    if (extra) {
      extra->for_members([&](std::string_view name, const Json&) {
        found = found || name == "InInterface" || name == "OutInterface" || name == "CtState" || name == "Match" ||
                name == "Set" || name == "Limit";
      });
    }
    return found;
  }

  static bool is_permissive(const Json& rule, std::string_view direction, const std::optional<Json>& extra) {
    if (member_of(rule, "Protocol").starts_with("icmp") || has_conditions(extra)) return false;
    const bool in = direction == "In";
    const bool wide_address = is_wide_address(member_of(rule, in ? "SourceAddress" : "DestinationAddress"));
    return wide_address || is_wide_port(member_of(rule, "DestinationPort"));
  }

  static std::string told(const Json& rule) {
    JsonWriter out;
    out.begin_object();
    for (const std::string_view name : {"SourceAddress", "SourcePort", "DestinationAddress", "DestinationPort"}) {
      out.key(name).value(member_of(rule, name));
    }
    return out.end_object().take();
  }

  void judge(const DeviceItems& device, HubFindings& findings) override {
    judge_policy(device, findings);
    judge_rules(device, 'I', "IoT_PermissiveInputFirewallRules", findings);
    judge_rules(device, 'O', "IoT_PermissiveOutputFirewallRules", findings);
  }

  /// Of one direction and family: some filter denies what no rule allows.
  static bool closes(const DeviceItems& device, char direction, char family) {
    return std::ranges::any_of(device.items, [&](const KnownItem& item) {
      return item.text[0] == kPolicyDeny && item.text[1] == direction &&
             (item.text[2] == family || item.text[2] == '*');
    });
  }

  static void judge_policy(const DeviceItems& device, HubFindings& findings) {
    std::string chains;
    for (const auto& [direction, name] : {std::pair{'I', "INPUT"}, std::pair{'O', "OUTPUT"}}) {
      for (const char family : {'4', '6'}) {
        if (closes(device, direction, family)) continue;
        if (!chains.empty()) chains += ", ";
        chains += std::string(name) + (family == '4' ? " (IPv4)" : " (IPv6)");
      }
    }
    JsonWriter data;
    data.begin_object().key("Chains").value(chains);
    findings.verdicts.push_back({.type = "IoT_PermissiveFirewallPolicy",
                                 .device = device.device(),
                                 .active = !chains.empty(),
                                 .data = data.end_object().take()});
  }

  static void judge_rules(const DeviceItems& device, char direction, std::string_view type, HubFindings& findings) {
    std::string rules = "[";
    std::size_t count = 0;
    for (const KnownItem& item : device.items) {
      if (item.text[0] != kRuleAllow || item.text[1] != direction || ++count > kRulesTold) continue;
      if (count > 1) rules += ',';
      rules += item.text.substr(3);
    }
    JsonWriter data;
    data.begin_object().key("Rules").value(rules + "]");
    if (count > kRulesTold) data.key("Count").value(std::to_string(count));
    findings.verdicts.push_back(
        {.type = type, .device = device.device(), .active = count > 0, .data = data.end_object().take()});
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_firewall() { return std::make_unique<Firewall>(); }

}  // namespace picket::pipeline
