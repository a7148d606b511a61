// Devices that fall silent: no telemetry for three days, and agents that say nothing while their device still talks.
#include <algorithm>

#include "hub_rules/hub_rules.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

constexpr std::size_t kDevicesMax = 262'144;
constexpr Duration kDeviceSilence = Duration::hours(72);  ///< Published: device silent.
/// An agent with at least this much habit, away for longer than 3 times its longest pause, and 6 hours, was stopped.
constexpr Duration kHabit = Duration::days(1);
constexpr std::int64_t kPauseFactor = 3;
constexpr Duration kPauseMin = Duration::hours(6);
/// So lately the device must have talked to be called alive.
constexpr Duration kAlive = Duration::hours(1);
/// Activity is noted so often: what is newer changes nothing, and would be written with every checkpoint.
constexpr Duration kGranularity = Duration::minutes(10);

struct Device {
  std::string hub;
  std::string device_id;
  std::string module_id;  ///< Of the agent.
  Timestamp telemetry;    ///< Newest message of any kind.
  Timestamp agent_first;
  Timestamp agent;     ///< Newest security message; 0: has no agent.
  Duration pause_max;  ///< Longest between two of them.
  bool enabled = true;
  bool silent = false;  ///< Reported.
  bool agent_silent = false;
  Timestamp last;
  static auto fields(auto& self) {
    return std::tie(self.hub, self.device_id, self.module_id, self.telemetry, self.agent_first, self.agent,
                    self.pause_max, self.enabled, self.silent, self.agent_silent, self.last);
  }
};

class Silence final : public Remembering<Device> {
 public:
  Silence() : Remembering("hub.silence", kDevicesMax) {}

  void see(const HubRecord& record, HubFindings&) override {
    if (record.device.device_id.empty()) return;
    const std::string key = state_key(record.device.hub, record.device.device_id);
    if (record.audit) {
      if (record.kind == "device.delete") table_.erase(key);
      if (record.kind == "device.update" && record.enabled) {
        if (table_.find(key) != nullptr) table_.touch(key).enabled = *record.enabled;
      }
      return;
    }
    const bool talks = record.proven && record.is_aggregate() && record.operation == "d2c_message" && record.code == 0;
    if (!talks) return;
    // The agent's own messages are telemetry too, but no sign that anything else lives.
    if (!record.device.module_id.empty()) return;
    note(key, record.device, record.enqueued);
  }

  void see_message(const SeenMessage& message, HubFindings&) override {
    const std::string key = state_key(message.sender.hub, message.sender.device_id);
    const Entry* known = table_.find(key);
    if (known != nullptr && !known->silent && !known->agent_silent && known->agent.us != 0 &&
        known->agent + kGranularity > message.enqueued) {
      return;
    }
    Entry& device = entry(key, message.sender, message.enqueued);
    if (device.agent.us == 0) device.agent_first = message.enqueued;
    // A pause that was reported is no habit.
    if (device.agent.us != 0 && !device.agent_silent) {
      device.pause_max = std::max(device.pause_max, message.enqueued - device.agent);
    }
    device.agent = message.enqueued;
    device.module_id = message.sender.module_id;
    device.agent_silent = false;
    device.silent = false;
    device.last = message.enqueued;
  }

  void minute(Timestamp now, HubFindings& findings) override {
    std::vector<std::string> due;
    for (const auto& [key, device] : table_.entries()) {
      if (is_silent(device, now) || is_agent_silent(device, now)) due.push_back(key);
    }
    for (const std::string& key : due) {
      Entry& device = table_.touch(key);
      if (is_silent(device, now)) {
        device.silent = true;
        findings.alerts.push_back(finding("IoT_DeviceSilent", device, device.last, now));
      } else {
        device.agent_silent = true;
        HubFinding found = finding("IoT_AgentSilent", device, device.agent, now);
        found.finding.properties.emplace_back("Longest Pause Before",
                                              std::to_string(device.pause_max.whole_seconds()) + " s");
        found.finding.properties.emplace_back("Newest Telemetry", format_rfc3339(device.telemetry));
        findings.alerts.push_back(std::move(found));
      }
    }
  }

 private:
  Entry& entry(const std::string& key, const Identity& device, Timestamp now) {
    const bool known = table_.find(key) != nullptr;
    Entry& out = table_.touch(key);
    if (!known) {
      out.hub = device.hub;
      out.device_id = device.device_id;
      out.last = now;
      keep_bound();
      return table_.touch(key);
    }
    return out;
  }
  void note(const std::string& key, const Identity& device, Timestamp now) {
    const Entry* known = table_.find(key);
    if (known != nullptr && !known->silent && known->telemetry.us != 0 && known->telemetry + kGranularity > now) return;
    Entry& out = entry(key, device, now);
    out.telemetry = now;
    out.silent = false;
    out.last = now;
  }
  static bool is_silent(const Entry& device, Timestamp now) {
    return device.enabled && !device.silent && now - device.last >= kDeviceSilence;
  }
  static bool is_agent_silent(const Entry& device, Timestamp now) {
    if (!device.enabled || device.agent_silent || device.silent || device.agent.us == 0 || device.telemetry.us == 0) {
      return false;
    }
    const Duration patience = std::max(kPauseMin, device.pause_max * kPauseFactor);
    return device.agent - device.agent_first >= kHabit && now - device.agent > patience &&
           now - device.telemetry <= kAlive;
  }
  static HubFinding finding(std::string_view type, const Entry& device, Timestamp since, Timestamp now) {
    HubFinding out;
    out.device = {device.hub, device.device_id, device.module_id, ""};
    out.finding.alert_type = type;
    out.finding.start = since;
    out.finding.end = now;
    out.finding.evidence_count = 0;
    out.finding.properties = {{"Silent Since", format_rfc3339(since)}};
    return out;
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_silence() { return std::make_unique<Silence>(); }

}  // namespace picket::pipeline
