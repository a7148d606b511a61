// The five recommendations about IoT Edge, from the manifests that devices are given.
#include <algorithm>

#include "base/core/json_writer.h"
#include "hub_rules/edge_manifest.h"
#include "hub_rules/hub_rules.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

constexpr std::size_t kDevicesMax = 65'536;
/// A group is a majority and a minority from this many devices with the same module.
constexpr std::size_t kGroupMin = 3;
constexpr std::string_view kInconsistent = "IoT_InconsistentModuleSettings";

struct EdgeDevice {
  std::string hub;
  std::string device_id;
  std::map<std::string, std::string> settings;  ///< Module -> fingerprint.
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.hub, self.device_id, self.settings, self.last); }
};

std::string data_of(const std::vector<EdgeRemark>& remarks) {
  std::string list = "[";
  for (const EdgeRemark& remark : remarks) {
    if (list.size() > 1) list += ',';
    list += JsonWriter()
                .begin_object()
                .key("Module")
                .value(remark.module)
                .key("Reason")
                .value(remark.reason)
                .end_object()
                .take();
  }
  return JsonWriter().begin_object().key("Modules").value(list + "]").end_object().take();
}

class Edge final : public Remembering<EdgeDevice> {
 public:
  Edge() : Remembering("hub.edge", kDevicesMax) {}

  void see(const HubRecord& record, HubFindings& findings) override {
    if (!record.audit) return;
    if (record.kind == "device.delete") return remove(record.device, findings);
    if (record.manifest.empty()) return;
    const auto report = analyse_edge_manifest(record.manifest);
    if (!report) return;  // the row of HubOperations shows it as it came
    std::vector<std::string> devices = record.devices;
    if (!record.device.device_id.empty()) devices.push_back(record.device.device_id);
    for (const std::string& device : devices) {
      const Identity identity{record.device.hub, device, "", ""};
      say(identity, "IoT_PrivilegedDockerOptions", report->privileged, findings);
      say(identity, "IoT_ACRAuthentication", report->no_principal, findings);
      say(identity, "IoT_EdgeLoggingOptions", report->no_logging, findings);
      say(identity, "IoT_EdgeHubMemOptimize", report->unused_protocols, findings);
      const std::string key = state_key(identity.hub, device);
      Entry& entry = table_.touch(key);
      entry.hub = identity.hub;
      entry.device_id = device;
      entry.settings = report->settings;
      entry.last = record.enqueued;
    }
    keep_bound();
    if (!devices.empty()) compare(record.device.hub, group_of({record.device.hub, devices.front(), "", ""}), findings);
  }

 private:
  static void say(const Identity& device, std::string_view type, const std::vector<EdgeRemark>& remarks,
                  HubFindings& findings) {
    findings.verdicts.push_back({.type = type, .device = device, .active = !remarks.empty(), .data = data_of(remarks)});
  }
  void remove(const Identity& device, HubFindings& findings) {
    const std::string key = state_key(device.hub, device.device_id);
    if (table_.find(key) == nullptr) return;
    table_.erase(key);
    compare(device.hub, group_of(device), findings);
  }

  /// In each group, for each module: whoever differs from the settings that most have.
  void compare(const std::string& hub, const std::string& group, HubFindings& findings) {
    std::map<std::string, std::map<std::string, std::size_t>> counts;  // module -> fingerprint -> devices
    std::map<std::string, std::size_t> sizes;
    std::vector<const Entry*> members;
    for (const auto& [key, device] : table_.entries()) {
      if (device.hub == hub && group_of({hub, device.device_id, "", ""}) == group) members.push_back(&device);
    }
    for (const Entry* member : members) {
      const Entry& device = *member;
      for (const auto& [module, print] : device.settings) {
        ++counts[module][print];
        ++sizes[module];
      }
    }
    for (const Entry* member : members) {
      const Entry& device = *member;
      std::vector<EdgeRemark> remarks;
      for (const auto& [module, print] : device.settings) {
        if (sizes[module] < kGroupMin || counts[module][print] * 2 >= sizes[module]) continue;
        const bool majority =
            std::ranges::any_of(counts[module], [&](const auto& other) { return other.second * 2 > sizes[module]; });
        if (majority) remarks.push_back({module, "differs from most devices of group " + group});
      }
      say({hub, device.device_id, "", ""}, kInconsistent, remarks, findings);
    }
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_edge() { return std::make_unique<Edge>(); }

}  // namespace picket::pipeline
