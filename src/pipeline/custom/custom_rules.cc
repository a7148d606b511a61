#include "custom/custom_rules.h"

#include <algorithm>
#include <array>

#include "hub_rules/hub_rules.h"
#include "net_prefix.h"
#include "pipeline/security_group.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::EventKind;
using message::Field;

/// A pause in record time that is longer says that the server was down.
constexpr Duration kGap = Duration::minutes(3);
constexpr std::size_t kWindowsMax = 3;  ///< Of one rule and device: the open one and what may still come late.

/// "IoT_CA_" + rule type, for the life of the program: findings refer to it.
std::string_view alert_type_of(std::size_t rule) {
  static const auto names = [] {
    std::array<std::string, kCustomRuleTypes> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = "IoT_CA_" + std::string(custom_rule_types()[i].name);
    return out;
  }();
  return names[rule];
}

std::size_t index_of(std::string_view type) {
  return static_cast<std::size_t>(find_custom_rule_type(type) - custom_rule_types().data());
}

struct WindowFields {
  Timestamp start;
  Duration size;
  std::uint64_t count = 0;
  static auto fields(auto& self) { return std::tie(self.start, self.size, self.count); }
};

struct DeviceFields {
  std::string hub;
  std::string device_id;
  Timestamp first;
  std::map<std::uint64_t, std::vector<WindowFields>> windows;  ///< By rule.
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.hub, self.device_id, self.first, self.windows, self.last); }
};

struct GroupFields {
  std::string hub;
  std::string name;
  std::string resource;
  Timestamp since;
  std::map<std::uint64_t, Timestamp> judged;  ///< By rule: end of the newest window whose minimum was judged.
  static auto fields(auto& self) { return std::tie(self.hub, self.name, self.resource, self.since, self.judged); }
};

struct ClockFields {
  Timestamp minute;
  Timestamp whole_since;  ///< From here on the hub's records are whole.
  static auto fields(auto& self) { return std::tie(self.minute, self.whole_since); }
};

bool is_unauthorized(const HubRecord& record) {
  if (record.kind == "auth_failed" || record.kind == "topic_denied" || record.kind == "subscribe_denied") return true;
  // 403 also stands for quotas and queues that are full.
  static constexpr int kForbidden[] = {403001, 403003, 403009, 403012};
  const bool denied = record.code / 1000 == 401 || std::ranges::find(kForbidden, record.code) != std::end(kForbidden);
  return record.is_aggregate() && denied;
}

/// Which rules count this record.
void rules_of(const HubRecord& record, std::vector<std::size_t>& out) {
  if (is_unauthorized(record)) out.push_back(index_of("UnauthorizedOperationsNotInAllowedRange"));
  if (!record.is_aggregate()) return;  // failures stand in their counts too
  if (record.operation == "method_invoke") out.push_back(index_of("DirectMethodInvokesNotInAllowedRange"));
  if (record.operation == "upload_start") out.push_back(index_of("FileUploadsNotInAllowedRange"));
  if (record.code != 0) return;
  if (record.operation == "queue_purge") out.push_back(index_of("QueuePurgesNotInAllowedRange"));
  if (record.operation == "twin_update" || record.operation == "twin_report") {
    out.push_back(index_of("TwinUpdatesNotInAllowedRange"));
  }
  const std::string_view what = record.operation == "c2d_message"    ? "C2DMessages"
                                : record.operation == "c2d_rejected" ? "C2DRejectedMessages"
                                : record.operation == "d2c_message"  ? "D2CMessages"
                                                                     : "";
  const std::string_view protocol = record.protocol == "mqtt"    ? "Mqtt"
                                    : record.protocol == "amqp"  ? "Amqp"
                                    : record.protocol == "https" ? "Http"
                                                                 : "";
  if (what.empty() || protocol.empty()) return;
  out.push_back(index_of(std::string(protocol) + std::string(what) + "NotInAllowedRange"));
}

class CustomRules final : public HubDetector, private StatePart {
 public:
  void see(const HubRecord& record, HubFindings& findings) override;
  void see_event(const DetectorEvent& event, HubFindings& findings) override;
  void minute(Timestamp now, HubFindings& findings) override;
  void configure(const RulesChange& rules, Timestamp now) override;
  StatePart* state() override { return this; }
  [[nodiscard]] std::uint64_t evicted() const override { return evicted_; }

 private:
  using Device = Stored<DeviceFields>;
  using Group = Stored<GroupFields>;
  using Clock = Stored<ClockFields>;

  std::string_view part_name() const override { return "custom.rules"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override;
  Result<> load(std::string_view key, Bytes value) override;

  /// What happened, for the alert.
  struct Happening {
    const Identity& device;
    Timestamp time;
    Timestamp enqueued;
    std::uint64_t count;
    EvidenceRow evidence;
  };
  void know(const Identity& device, Timestamp now);
  [[nodiscard]] const SecurityGroup* rules_for(const Identity& device) const;
  void count(std::size_t rule, const Happening& what, HubFindings& findings);
  void check_lists(const SecurityGroup& group, const DetectorEvent& event, HubFindings& findings);
  void judge_minimum(const std::string& group_key, std::size_t rule, Timestamp end, HubFindings& findings);
  void use(const std::string& key, const Group& group);
  static HubFinding finding(const Identity& device, std::size_t rule, const CustomRule& limits, Timestamp start,
                            std::uint64_t count);

  KeyedTable<Device> devices_;                               ///< 'd' in checkpoints.
  KeyedTable<Group> groups_;                                 ///< 'g'.
  KeyedTable<Clock> clock_;                                  ///< 'c'; one entry.
  std::map<std::string, SecurityGroup, std::less<>> rules_;  ///< Parsed resources, by key of the group.
  bool any_agent_rules_ = false;
  std::uint64_t evicted_ = 0;
};

const SecurityGroup* CustomRules::rules_for(const Identity& device) const {
  if (rules_.empty()) return nullptr;
  const auto found = rules_.find(state_key(device.hub, group_of(device)));
  return found == rules_.end() ? nullptr : &found->second;
}

void CustomRules::know(const Identity& device, Timestamp now) {
  const std::string key = state_key(device.hub, device.device_id);
  const Device* known = devices_.find(key);
  if (known != nullptr && known->last + Duration::hours(1) > now) return;
  Device& entry = devices_.touch(key);
  if (known == nullptr) {
    entry.hub = device.hub;
    entry.device_id = device.device_id;
    entry.first = now;
  }
  entry.last = now;
  evicted_ += evict_oldest(devices_, kCustomDevicesMax);
}

HubFinding CustomRules::finding(const Identity& device, std::size_t rule, const CustomRule& limits, Timestamp start,
                                std::uint64_t count) {
  HubFinding out;
  out.device = {device.hub, device.device_id, "", ""};
  out.finding.alert_type = alert_type_of(rule);
  out.finding.start = start;
  out.finding.end = start + limits.window;
  out.finding.properties = {{"Rule", std::string(custom_rule_types()[rule].name)},
                            {"Count", std::to_string(count)},
                            {"Minimum", std::to_string(limits.minimum)},
                            {"Maximum", std::to_string(limits.maximum)},
                            {"Window Start", format_rfc3339(start)},
                            {"Window Size", format_iso_duration(limits.window)}};
  return out;
}

void CustomRules::count(std::size_t rule, const Happening& what, HubFindings& findings) {
  const SecurityGroup* group = rules_for(what.device);
  if (group == nullptr || !group->rules[rule].enabled) return;
  const CustomRule& limits = group->rules[rule];
  const Timestamp start{what.time.us - what.time.us % limits.window.us};
  const std::string key = state_key(what.device.hub, what.device.device_id);
  if (devices_.find(key) == nullptr) return;  // only claimed, and nobody we know
  auto& windows = devices_.touch(key).windows[rule];
  std::erase_if(windows, [&](const WindowFields& one) { return one.size != limits.window; });
  auto found = std::ranges::find(windows, start, &WindowFields::start);
  if (found == windows.end()) {
    if (windows.size() >= kWindowsMax) {
      const auto oldest = std::ranges::min_element(windows, {}, &WindowFields::start);
      if (oldest->start > start) return;  // too late
      windows.erase(oldest);
    }
    found = windows.insert(windows.end(), {start, limits.window, 0});
  }
  const auto maximum = static_cast<std::uint64_t>(limits.maximum);
  const bool exceeded = found->count > maximum;
  found->count += what.count;
  if (exceeded || found->count <= maximum) return;
  HubFinding out = finding(what.device, rule, limits, start, found->count);
  out.finding.end = std::max(start, what.time);
  out.finding.evidence = {what.evidence};
  findings.alerts.push_back(std::move(out));
}

void CustomRules::see(const HubRecord& record, HubFindings& findings) {
  if (record.device.device_id.empty()) return;
  if (record.audit) {
    if (record.kind == "device.delete") {
      devices_.erase(state_key(record.device.hub, record.device.device_id));
    } else if (record.kind == "device.create") {
      know(record.device, record.enqueued);
    }
    return;
  }
  if (record.proven) know(record.device, record.enqueued);
  std::vector<std::size_t> rules;
  rules_of(record, rules);
  for (const std::size_t rule : rules) {
    const Timestamp time = record.window_from.value_or(record.time);
    count(rule, {record.device, time, record.enqueued, record.count, record.evidence()}, findings);
  }
}

void CustomRules::see_event(const DetectorEvent& event, HubFindings& findings) {
  if (!any_agent_rules_) return;
  const SecurityGroup* group = rules_for(event.device);
  if (group == nullptr) return;
  know(event.device, event.enqueued);
  const auto hits = static_cast<std::uint64_t>(std::max<std::int64_t>(1, event.integer(Field::HitCount, 1)));
  if (event.event.kind == EventKind::ConnectionCreate) {
    count(index_of("ActiveConnectionsNotInAllowedRange"),
          {event.device, event.time, event.enqueued, hits, event.evidence()}, findings);
  }
  if (event.event.kind == EventKind::Login && event.text(Field::Result) == "Fail") {
    const auto failed = event.integer(Field::FailCount, static_cast<std::int64_t>(hits));
    count(index_of("FailedLocalLoginsNotInAllowedRange"),
          {event.device, event.time, event.enqueued, static_cast<std::uint64_t>(std::max<std::int64_t>(failed, 0)),
           event.evidence()},
          findings);
  }
  check_lists(*group, event, findings);
}

void CustomRules::check_lists(const SecurityGroup& group, const DetectorEvent& event, HubFindings& findings) {
  const auto raise = [&](std::size_t rule, std::string_view name, std::string_view value) {
    HubFinding out;
    out.device = event.device;
    out.finding.alert_type = alert_type_of(rule);
    out.finding.group_key = value;
    out.finding.start = out.finding.end = event.time;
    out.finding.evidence = {event.evidence()};
    out.finding.properties = {{"Rule", std::string(custom_rule_types()[rule].name)},
                              {std::string(name), std::string(value)}};
    findings.alerts.push_back(std::move(out));
  };
  const auto listed = [](const CustomRule& rule, std::string_view value) {
    return std::ranges::find(rule.values, value) != rule.values.end();
  };
  const std::size_t connection = index_of("ConnectionToIpNotAllowed");
  if (group.rules[connection].enabled && event.event.kind == EventKind::ConnectionCreate &&
      event.text(Field::Direction) == "Out") {
    const auto address = parse_net_prefix(event.text(Field::RemoteAddress));
    const auto holds = [&](const std::string& network) { return parse_net_prefix(network)->contains(*address); };
    if (address && std::ranges::none_of(group.rules[connection].values, holds)) {
      raise(connection, "Remote Address", event.text(Field::RemoteAddress));
    }
  }
  const std::size_t user = index_of("LocalUserNotAllowed");
  if (group.rules[user].enabled && event.event.kind == EventKind::Login && event.text(Field::Result) == "Success" &&
      !event.text(Field::UserName).empty() && !listed(group.rules[user], event.text(Field::UserName))) {
    raise(user, "User Name", event.text(Field::UserName));
  }
  const std::size_t program = index_of("ProcessNotAllowed");
  if (group.rules[program].enabled && event.event.kind == EventKind::ProcessCreate) {
    const std::string_view path = event.text(Field::Executable);
    const std::string_view name = path.substr(path.rfind('/') + 1);
    if (!path.empty() && !listed(group.rules[program], path) && !listed(group.rules[program], name)) {
      raise(program, "Executable", path);
    }
  }
}

void CustomRules::minute(Timestamp now, HubFindings& findings) {
  Clock& clock = clock_.touch("clock");
  if (clock.minute == Timestamp{} || now - clock.minute > kGap) clock.whole_since = now;
  clock.minute = now;
  for (const auto& [key, rules] : rules_) {
    for (std::size_t rule = 0; rule < kCustomRuleTypes; ++rule) {
      const CustomRuleType& type = custom_rule_types()[rule];
      const CustomRule& limits = rules.rules[rule];
      if (type.kind != CustomRuleType::Kind::time_window || !limits.enabled || limits.minimum == 0) continue;
      const Timestamp settled = now - (type.agent ? kAgentLateness : kHubLateness);
      const Timestamp end{settled.us - settled.us % limits.window.us};
      const Group& group = *groups_.find(key);
      const auto judged = group.judged.find(rule);
      if (judged != group.judged.end() && judged->second >= end) continue;
      groups_.touch(key).judged[rule] = end;
      const Timestamp start = end - limits.window;
      if (start >= group.since && start >= clock.whole_since) judge_minimum(key, rule, end, findings);
    }
  }
}

void CustomRules::judge_minimum(const std::string& group_key, std::size_t rule, Timestamp end, HubFindings& findings) {
  const CustomRule& limits = rules_.find(group_key)->second.rules[rule];
  const Timestamp start = end - limits.window;
  for (const auto& [key, device] : devices_.entries()) {
    const Identity identity{device.hub, device.device_id, "", ""};
    if (device.first > start || state_key(device.hub, group_of(identity)) != group_key) continue;
    std::uint64_t count = 0;
    if (const auto windows = device.windows.find(rule); windows != device.windows.end()) {
      for (const WindowFields& one : windows->second) {
        if (one.start == start && one.size == limits.window) count = one.count;
      }
    }
    if (count >= static_cast<std::uint64_t>(limits.minimum)) continue;
    HubFinding out = finding(identity, rule, limits, start, count);
    out.finding.evidence_count = 0;  // what did not happen left no record
    findings.alerts.push_back(std::move(out));
  }
}

void CustomRules::use(const std::string& key, const Group& group) {
  rules_.erase(key);
  if (const auto parsed = parse_security_group(group.resource)) rules_.insert_or_assign(key, *parsed);
  any_agent_rules_ = std::ranges::any_of(rules_, [](const auto& entry) {
    for (std::size_t i = 0; i < kCustomRuleTypes; ++i) {
      if (custom_rule_types()[i].agent && entry.second.rules[i].enabled) return true;
    }
    return false;
  });
}

void CustomRules::configure(const RulesChange& rules, Timestamp now) {
  if (!rules.security_group) return;
  const auto& changed = *rules.security_group;
  const std::string key = state_key(changed.hub, changed.name);
  if (changed.resource.empty() || !parse_security_group(changed.resource)) {
    groups_.erase(key);
    return use(key, Group{});
  }
  if (groups_.find(key) == nullptr && groups_.size() >= kCustomGroupsMax) {
    ++evicted_;
    return;
  }
  Group& group = groups_.touch(key);
  group.hub = changed.hub;
  group.name = changed.name;
  group.resource = changed.resource;
  group.since = now;
  group.judged.clear();
  use(key, group);
}

std::vector<StateChange> CustomRules::take_changes() {
  std::vector<StateChange> out;
  for (auto& [key, value] : devices_.take_changes()) out.push_back({"d" + key, std::move(value)});
  for (auto& [key, value] : groups_.take_changes()) out.push_back({"g" + key, std::move(value)});
  for (auto& [key, value] : clock_.take_changes()) out.push_back({"c" + key, std::move(value)});
  return out;
}

Result<> CustomRules::load(std::string_view key, Bytes value) {
  if (key.empty()) return fail(Errc::malformed, "pipeline.state.custom");
  const std::string_view name = key.substr(1);
  if (key[0] == 'd') return devices_.load(name, value);
  if (key[0] == 'c') return clock_.load(name, value);
  TRY_VOID(groups_.load(name, value));
  use(std::string(name), *groups_.find(name));
  return {};
}

}  // namespace

std::unique_ptr<HubDetector> make_custom_rules() { return std::make_unique<CustomRules>(); }

}  // namespace picket::pipeline
