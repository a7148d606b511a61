// The IP filter of a hub: does it end with a denial, are its rules narrow, and what would fit the traffic.
#include <algorithm>
#include <set>

#include "base/core/json_writer.h"
#include "hub_rules/hub_rules.h"
#include "net_prefix.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

/// Accept rules wider than these are large.
constexpr int kWideIpv4 = 16;
constexpr int kWideIpv6 = 32;
/// Traffic is watched so long before rules are proposed, and prefixes count for so long.
constexpr Duration kLearning = Duration::days(1);
constexpr Duration kMemory = Duration::days(30);
constexpr Duration kRefresh = Duration::hours(1);
constexpr std::size_t kHubsMax = 1024;
constexpr std::size_t kPrefixesMax = 4096;  ///< Of one hub; more says that there is no narrow set of rules.
constexpr std::size_t kProposedMax = 50;

struct Hub {
  std::string name;
  bool denies = false;
  Timestamp first;                            ///< Beginning of the traffic.
  std::map<std::string, Timestamp> prefixes;  ///< /24 and /56: last connection.
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.name, self.denies, self.first, self.prefixes, self.last); }
};

/// What rejects every address of a kind, seen from the end: rules behind it never apply.
bool denies_all(const std::vector<IpFilterRule>& rules, std::string_view everything) {
  const auto all = parse_net_prefix(everything);
  return std::ranges::any_of(rules, [&](const IpFilterRule& rule) {
    const auto mask = parse_net_prefix(rule.mask);
    return !rule.accept && mask && *mask == *all;
  });
}

std::string rule_json(std::string_view name, std::string_view action, std::string_view mask) {
  return JsonWriter()
      .begin_object()
      .key("filterName")
      .value(name)
      .key("action")
      .value(action)
      .key("ipMask")
      .value(mask)
      .end_object()
      .take();
}

std::string data_of_rules(const std::vector<std::string>& rules) {
  std::string list = "[";
  for (const std::string& rule : rules) list += (list.size() > 1 ? "," : "") + rule;
  return JsonWriter().begin_object().key("Rules").value(list + "]").end_object().take();
}

class IpFilter final : public Remembering<Hub> {
 public:
  IpFilter() : Remembering("hub.ip_filter", kHubsMax) {}

  void see(const HubRecord& record, HubFindings& findings) override {
    if (record.device.hub.empty()) return;
    if (record.audit && record.kind == "hub.delete") return table_.erase(record.device.hub);
    const Entry* known = table_.find(record.device.hub);
    if (known == nullptr) {
      Entry& hub = table_.touch(record.device.hub);
      hub.name = record.device.hub;
      hub.last = record.enqueued;
      keep_bound();
      if (!record.ip_rules) judge({}, record, findings);
    }
    if (record.ip_rules) judge(*record.ip_rules, record, findings);
    if (!record.audit && record.kind == "connect" && record.proven) learn(record);
  }

  void minute(Timestamp now, HubFindings& findings) override {
    for (const auto& [name, hub] : table_.entries()) {
      if (hub.denies || hub.prefixes.empty() || hub.first + kLearning > now) continue;
      findings.verdicts.push_back(proposal(hub, now));
    }
  }

 private:
  static Verdict about(const std::string& hub, std::string_view type, bool active) {
    return {.type = type, .device = {hub, "", "", ""}, .active = active};
  }

  void judge(const std::vector<IpFilterRule>& rules, const HubRecord& record, HubFindings& findings) {
    const std::string& name = record.device.hub;
    const bool fallback = record.ip_default == "reject";
    const bool denies = fallback || (denies_all(rules, "0.0.0.0/0") && denies_all(rules, "::/0"));
    if (table_.find(name)->denies != denies) table_.touch(name).denies = denies;
    Verdict deny = about(name, "IoT_IPFilter_DenyAll", !denies);
    std::string missing;
    for (const std::string_view all : {"0.0.0.0/0", "::/0"}) {
      if (!fallback && !denies_all(rules, all)) missing += (missing.empty() ? "" : ", ") + std::string(all);
    }
    deny.data = JsonWriter().begin_object().key("MissingRejectRules").value(missing).end_object().take();
    findings.verdicts.push_back(std::move(deny));

    std::vector<std::string> wide;
    for (const IpFilterRule& rule : rules) {
      const auto mask = parse_net_prefix(rule.mask);
      if (!rule.accept || !mask || mask->length >= (mask->ipv6 ? kWideIpv6 : kWideIpv4)) continue;
      wide.push_back(rule_json(rule.name, "Accept", rule.mask));
    }
    Verdict permissive = about(name, "IoT_IPFilter_PermissiveRule", !wide.empty());
    permissive.data = data_of_rules(wide);
    findings.verdicts.push_back(std::move(permissive));
    if (denies) findings.verdicts.push_back(about(name, "IoT_RecommendedIpRulesByBaseLine", false));
  }

  void learn(const HubRecord& record) {
    const auto address = parse_net_prefix(record.source);
    if (!address) return;
    const std::string prefix = to_text(address->widened(address->ipv6 ? 56 : 24));
    const Entry& known = *table_.find(record.device.hub);
    const auto seen = known.prefixes.find(prefix);
    if (seen != known.prefixes.end() && seen->second + kRefresh > record.enqueued) return;
    if (seen == known.prefixes.end() && known.prefixes.size() >= kPrefixesMax) return;
    Entry& hub = table_.touch(record.device.hub);
    if (hub.prefixes.empty()) hub.first = record.enqueued;
    hub.prefixes[prefix] = hub.last = record.enqueued;
  }

  /// The narrowest rules that accept the traffic of the last 30 days, if they are few enough.
  static Verdict proposal(const Entry& hub, Timestamp now) {
    std::set<NetPrefix> masks;
    for (const auto& [text, seen] : hub.prefixes) {
      if (seen + kMemory >= now) masks.insert(*parse_net_prefix(text));
    }
    if (masks.size() > kProposedMax) {
      std::set<NetPrefix> wider;
      for (const NetPrefix& mask : masks) wider.insert(mask.widened(mask.ipv6 ? 40 : 16));
      masks = std::move(wider);
    }
    Verdict out = about(hub.name, "IoT_RecommendedIpRulesByBaseLine", !masks.empty() && masks.size() <= kProposedMax);
    std::vector<std::string> rules;
    if (out.active) {
      for (const NetPrefix& mask : masks) {
        rules.push_back(rule_json("learnt-" + std::to_string(rules.size() + 1), "Accept", to_text(mask)));
      }
      rules.push_back(rule_json("deny-ipv4", "Reject", "0.0.0.0/0"));
      rules.push_back(rule_json("deny-ipv6", "Reject", "::/0"));
    }
    out.data = data_of_rules(rules);
    return out;
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_ip_filter() { return std::make_unique<IpFilter>(); }

}  // namespace picket::pipeline
