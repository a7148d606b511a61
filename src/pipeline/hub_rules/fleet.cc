// Devices that have no agent, and devices that nobody uses.
#include "base/core/json_writer.h"
#include "hub_rules/hub_rules.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

constexpr std::size_t kDevicesMax = 262'144;
/// A connected device has this long to send its first security message, and then to send the next.
constexpr Duration kAgentTime = Duration::days(1);
constexpr Duration kAgentSilence = Duration::days(3);  // the original calls a device silent after 72 hours
constexpr Duration kDormant = Duration::days(30);
/// Activity is noted so often: what is newer changes nothing, and would be written with every checkpoint.
constexpr Duration kGranularity = Duration::hours(1);

struct Device {
  Identity device;
  std::optional<Timestamp> connected;  ///< First connection.
  std::optional<Timestamp> message;    ///< Newest security message.
  bool no_agent = false;
  bool dormant = false;
  bool enabled = true;
  Timestamp last;  ///< Newest activity; at first, when it was made.
  static auto fields(auto& self) {
    return std::tie(self.device.hub, self.device.device_id, self.connected, self.message, self.no_agent, self.dormant,
                    self.enabled, self.last);
  }
};

class Fleet final : public Remembering<Device> {
 public:
  Fleet() : Remembering("hub.fleet", kDevicesMax) {}

  void see(const HubRecord& record, HubFindings& findings) override {
    if (record.device.device_id.empty()) return;
    const std::string key = state_key(record.device.hub, record.device.device_id);
    if (record.audit) return see_change(key, record);
    if (!record.proven || (record.kind != "connect" && !record.is_aggregate())) return;
    const Entry* known = table_.find(key);
    const bool connects = record.kind == "connect";
    if (known != nullptr && !known->dormant && (!connects || known->connected) &&
        known->last + kGranularity > record.enqueued) {
      return;
    }
    Entry& device = entry(key, record.device, record.enqueued);
    if (device.dormant && connects) {
      HubFinding found = finding_of(record, "IoT_DormantDeviceActive");
      found.finding.properties.emplace_back("Last Activity", format_rfc3339(device.last));
      findings.alerts.push_back(std::move(found));
    }
    wake(device, record.enqueued, findings);
    if (connects && !device.connected) device.connected = record.enqueued;
  }

  void see_message(const SeenMessage& message, HubFindings& findings) override {
    const std::string key = state_key(message.sender.hub, message.sender.device_id);
    const Entry* known = table_.find(key);
    if (known != nullptr && known->message && !known->no_agent && !known->dormant &&
        *known->message + kGranularity > message.enqueued) {
      return;
    }
    Entry& device = entry(key, message.sender, message.enqueued);
    wake(device, message.enqueued, findings);
    device.message = message.enqueued;
    if (!device.no_agent) return;
    device.no_agent = false;
    findings.verdicts.push_back({.type = "IoT_InstallAgent", .device = device.device, .active = false});
  }

  void minute(Timestamp now, HubFindings& findings) override {
    std::vector<std::string> due;
    for (const auto& [key, device] : table_.entries()) {
      if (lacks_agent(device, now) || sleeps(device, now)) due.push_back(key);
    }
    for (const std::string& key : due) {
      Entry& device = table_.touch(key);
      if (lacks_agent(device, now)) {
        device.no_agent = true;
        findings.verdicts.push_back({.type = "IoT_InstallAgent", .device = device.device, .active = true});
      }
      if (sleeps(device, now)) {
        device.dormant = true;
        findings.verdicts.push_back(
            {.type = "IoT_DormantDevice",
             .device = device.device,
             .active = true,
             .data = JsonWriter().begin_object().key("LastActivity").value(device.last).end_object().take()});
      }
    }
  }

 private:
  static bool lacks_agent(const Entry& device, Timestamp now) {
    if (device.no_agent || !device.connected || *device.connected + kAgentTime > now) return false;
    // Active without a message for long; a device that is away is dormant, not without an agent.
    return !device.message || (*device.message + kAgentSilence < now && *device.message + kAgentSilence < device.last);
  }
  static bool sleeps(const Entry& device, Timestamp now) {
    return device.enabled && !device.dormant && device.last + kDormant <= now;
  }

  Entry& entry(const std::string& key, const Identity& identity, Timestamp now) {
    if (table_.find(key) == nullptr) {
      Entry& made = table_.touch(key);
      made.device = {identity.hub, identity.device_id, "", ""};
      made.last = now;
      keep_bound();
    }
    return table_.touch(key);
  }
  static void wake(Entry& device, Timestamp now, HubFindings& findings) {
    device.last = now;
    if (!device.dormant) return;
    device.dormant = false;
    findings.verdicts.push_back({.type = "IoT_DormantDevice", .device = device.device, .active = false});
  }
  void see_change(const std::string& key, const HubRecord& record) {
    if (record.kind == "device.delete") return table_.erase(key);
    if (record.kind == "device.create") entry(key, record.device, record.enqueued).last = record.enqueued;
    if (record.enabled && record.kind.starts_with("device.")) {
      entry(key, record.device, record.enqueued).enabled = *record.enabled;
    }
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_fleet() { return std::make_unique<Fleet>(); }

}  // namespace picket::pipeline
