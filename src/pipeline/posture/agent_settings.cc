// Settings of an agent's twin that work against what they are for, or against each other.
#include "base/core/json_writer.h"
#include "posture/posture.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::Field;

constexpr std::size_t kDevicesMax = 65'536;
constexpr std::size_t kSettingsMax = 32;  ///< Told of one device.
/// An agent tells its settings again at each start and change; what it has not told for so long is mended.
constexpr Duration kMended = Duration::days(1);

struct Setting {
  std::string error;  ///< NotOptimal, Conflict.
  std::string used;
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.error, self.used, self.last); }
};

struct Device {
  std::string hub, device_id, module_id, generation_id;
  std::map<std::string, Setting> settings;  ///< By name.
  Timestamp last;
  static auto fields(auto& self) {
    return std::tie(self.hub, self.device_id, self.module_id, self.generation_id, self.settings, self.last);
  }
};

class AgentSettings final : public Remembering<Device> {
 public:
  AgentSettings() : Remembering("posture.agent_settings", kDevicesMax) {}

  void see(const HubRecord& record, HubFindings&) override {
    if (record.audit && record.kind == "device.delete") {
      table_.erase(state_key(record.device.hub, record.device.device_id));
    }
  }

  void see_event(const DetectorEvent& event, HubFindings& findings) override {
    if (event.event.kind != message::EventKind::ConfigurationError) return;
    const auto error = event.text(Field::ErrorType);
    if (error != "NotOptimal" && error != "Conflict") return;
    Entry& device = table_.touch(state_key(event.device.hub, event.device.device_id));
    device.hub = event.device.hub;
    device.device_id = event.device.device_id;
    device.module_id = event.device.module_id;
    device.generation_id = event.device.generation_id;
    device.last = event.enqueued;
    const std::string name(event.text(Field::ConfigurationName).substr(0, 128));
    if (!device.settings.contains(name) && device.settings.size() >= kSettingsMax) return count_evicted(1);
    const auto details = event.details();
    const auto used = details ? details->find("UsedConfiguration") : std::nullopt;
    const std::string text = used ? used->text().value_or("") : "";
    device.settings[name] = {std::string(error), text.substr(0, 128), event.enqueued};
    judge(device, findings);
    keep_bound();
  }

  void minute(Timestamp now, HubFindings& findings) override {
    std::vector<std::string> due;
    for (const auto& [key, device] : table_.entries()) {
      const auto old = [&](const auto& one) { return one.second.last + kMended <= now; };
      if (std::ranges::any_of(device.settings, old)) due.push_back(key);
    }
    for (const std::string& key : due) {
      Entry& device = table_.touch(key);
      std::erase_if(device.settings, [&](const auto& one) { return one.second.last + kMended <= now; });
      judge(device, findings);
      if (device.settings.empty()) table_.erase(key);
    }
  }

 private:
  static void judge(const Device& device, HubFindings& findings) {
    for (const auto& [error, type] : {std::pair{"NotOptimal", "IoT_TwinConfigurationNotOptimal"},
                                      std::pair{"Conflict", "IoT_TwinConfigurationConflict"}}) {
      JsonWriter data;
      data.begin_object();
      bool any = false;
      for (const auto& [name, setting] : device.settings) {
        if (setting.error != error) continue;
        data.key(name).value(setting.used);
        any = true;
      }
      findings.verdicts.push_back({.type = type,
                                   .device = {device.hub, device.device_id, device.module_id, device.generation_id},
                                   .active = any,
                                   .data = data.end_object().take()});
    }
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_agent_settings() { return std::make_unique<AgentSettings>(); }

}  // namespace picket::pipeline
