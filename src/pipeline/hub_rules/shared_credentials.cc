// IoT_SharedCredentials: one credential proves several devices.
#include "base/core/json_writer.h"
#include "hub_rules/hub_rules.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

constexpr std::string_view kType = "IoT_SharedCredentials";
/// A use so long ago does not count any more.
constexpr Duration kMemory = Duration::days(7);
constexpr std::size_t kCredentialsMax = 262'144;
constexpr std::size_t kDevicesMax = 32;  ///< Remembered of one credential.

struct Credential {
  std::string hub;
  std::map<std::string, Timestamp> devices;  ///< By device id: last use.
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.hub, self.devices, self.last); }
};

class SharedCredentials final : public Remembering<Credential> {
 public:
  SharedCredentials() : Remembering("hub.shared_credentials", kCredentialsMax) {}

  void see(const HubRecord& record, HubFindings& findings) override {
    if (record.audit) return see_change(record, findings);
    // A policy's key ("hub") is meant for gateways that speak for many.
    if (record.kind != "connect" || !record.proven || record.credential.empty() || record.auth_scope == "hub") return;
    const std::string key = state_key(record.device.hub, record.credential);
    const std::string& id = record.device.device_id;
    const Entry* known = table_.find(key);
    const auto use = known == nullptr ? decltype(known->devices.begin()){} : known->devices.find(id);
    const bool knows = known != nullptr && use != known->devices.end();
    if (knows && use->second + Duration::hours(1) > record.enqueued) return;  // nothing new, nothing to save
    if (known != nullptr && !knows && known->devices.size() >= kDevicesMax) return;
    Entry& credential = table_.touch(key);
    credential.hub = record.device.hub;
    credential.devices[id] = record.enqueued;
    credential.last = record.enqueued;
    if (!knows && credential.devices.size() > 1) judge(credential, record.credential, findings);
    keep_bound();
  }

  /// Uses that are long ago count no more.
  void minute(Timestamp now, HubFindings& findings) override {
    std::vector<std::string> keys;
    for (const auto& [key, credential] : table_.entries()) {
      for (const auto& [device, used] : credential.devices) {
        if (used + kMemory >= now) continue;
        keys.push_back(key);
        break;
      }
    }
    for (const std::string& key : keys) {
      std::vector<std::string> gone;
      for (const auto& [device, used] : table_.find(key)->devices) {
        if (used + kMemory < now) gone.push_back(device);
      }
      for (const std::string& device : gone) drop(key, device, findings);
    }
  }

 private:
  static Verdict verdict(const Entry& credential, const std::string& device, bool active) {
    return {.type = kType, .device = {credential.hub, device, "", ""}, .active = active};
  }
  static void judge(const Entry& credential, std::string_view name, HubFindings& findings) {
    std::string list = "[";
    for (const auto& [device, used] : credential.devices) {
      if (list.size() > 1) list += ',';
      append_json_string(list, device);
    }
    list += ']';
    const std::string data =
        JsonWriter().begin_object().key("Devices").value(list).key("Credential").value(name).end_object().take();
    for (const auto& [device, used] : credential.devices) {
      findings.verdicts.push_back(verdict(credential, device, true));
      findings.verdicts.back().data = data;
    }
  }
  void drop(const std::string& key, const std::string& device, HubFindings& findings) {
    Entry& credential = table_.touch(key);
    const bool shared = credential.devices.size() > 1;
    if (credential.devices.erase(device) == 0) return;
    if (shared) findings.verdicts.push_back(verdict(credential, device, false));
    if (credential.devices.size() == 1) {
      findings.verdicts.push_back(verdict(credential, credential.devices.begin()->first, false));
    }
    if (credential.devices.empty()) table_.erase(key);
  }
  /// New keys, or the device has gone: its old credential is not its own any more.
  void see_change(const HubRecord& record, HubFindings& findings) {
    const bool changed = record.kind == "key.rotate" || record.kind == "device.delete";
    if (!changed || record.device.device_id.empty()) return;
    std::vector<std::string> keys;
    for (const auto& [key, credential] : table_.entries()) {
      if (credential.hub == record.device.hub && credential.devices.contains(record.device.device_id)) {
        keys.push_back(key);
      }
    }
    for (const std::string& key : keys) drop(key, record.device.device_id, findings);
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_shared_credentials() { return std::make_unique<SharedCredentials>(); }

}  // namespace picket::pipeline
