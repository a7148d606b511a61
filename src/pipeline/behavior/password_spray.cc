// One address tries many names on a device, or knocks at many devices. Failures of one name are brute_force's business.
#include <map>

#include "behavior/behavior.h"
#include "behavior/distinct_window.h"
#include "behavior/event_words.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::Field;

constexpr DistinctWindow::Bounds kNames{.window = Duration::minutes(10), .values_min = 5};
/// The values are devices: their id, module (128 bytes each at most) and generation.
constexpr DistinctWindow::Bounds kDevices{.window = Duration::hours(1), .values_min = 3, .value_bytes_max = 400};
constexpr std::size_t kSourcesMax = 16'384;
constexpr std::size_t kNamesListed = 16;

class PasswordSpray final : public RememberingEntries<Detector, DistinctWindow> {
 public:
  PasswordSpray() : RememberingEntries("behavior.password_spray", kSourcesMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void forget(Timestamp now) override { forget_older(now - kDevices.window - kDevices.lateness); }

 private:
  DistinctWindow& add(const std::string& key, const DistinctWindow::Bounds& bounds, std::string_view value,
                      const DetectorEvent& event);
  void look_at_names(const std::string& address, std::string_view user, const DetectorEvent& event,
                     std::vector<Finding>& findings);
  void look_at_devices(const std::string& address, const DetectorEvent& event, std::vector<Finding>& findings);
};

Finding make_finding(std::string_view counted, const std::string& address, const DistinctWindow::Bounds& bounds,
                     const std::vector<SeenValue>& fresh) {
  Finding finding{.alert_type = "IoT_PasswordSpray", .group_key = state_key(counted, address)};
  add_sightings(finding, bounds, fresh);
  finding.properties = {{"Remote Address", address},
                        {"Window", std::to_string(bounds.window.us / 60'000'000) + " min"}};
  finding.entities = {{"ip", {{"Address", address}}}};
  return finding;
}

DistinctWindow& PasswordSpray::add(const std::string& key, const DistinctWindow::Bounds& bounds, std::string_view value,
                                   const DetectorEvent& event) {
  DistinctWindow& window = table_.touch(key);
  const TimeSpan span = span_of(event);
  window.last = event.enqueued;
  count_evicted(window.add(bounds, value, span.first, span.last, event.evidence()));
  return window;
}

void PasswordSpray::look_at_names(const std::string& address, std::string_view user, const DetectorEvent& event,
                                  std::vector<Finding>& findings) {
  DistinctWindow& window = add(device_key(event, "names", address), kNames, user, event);
  const auto fresh = window.report(kNames);
  if (fresh.empty()) return;
  Finding finding = make_finding("Users", address, kNames, fresh);
  finding.properties.emplace_back("Users", std::to_string(window.values()));
  finding.properties.emplace_back("Users List", joined(window.names(kNamesListed)));
  findings.push_back(std::move(finding));
}

/// The fleet's view: no device in the key. Each device that was tried has an alert of its own, whichever came last; so
/// none of them can tell how many came after it, only what was reached.
void PasswordSpray::look_at_devices(const std::string& address, const DetectorEvent& event,
                                    std::vector<Finding>& findings) {
  const Identity& device = event.device;
  DistinctWindow& window = add(state_key(device.hub, "devices", address), kDevices,
                               state_key(device.device_id, device.module_id, device.generation_id), event);
  std::map<std::string, std::vector<SeenValue>> by_device;
  for (SeenValue& seen : window.report(kDevices)) by_device[seen.value].push_back(std::move(seen));
  for (const auto& [value, fresh] : by_device) {
    const auto parts = parts_of_key(value);
    if (parts.size() != 3) continue;
    Finding finding = make_finding("Devices", address, kDevices, fresh);
    finding.device = Identity{.hub = device.hub,
                              .device_id = std::string(parts[0]),
                              .module_id = std::string(parts[1]),
                              .generation_id = std::string(parts[2])};
    finding.properties.emplace_back("Devices", std::to_string(kDevices.values_min) + " or more");
    findings.push_back(std::move(finding));
  }
}

void PasswordSpray::see(const DetectorEvent& event, std::vector<Finding>& findings) {
  const std::string address = normal_address(event.text(Field::RemoteAddress));
  if (failures_of(event) == 0 || address.empty() || address == "?") return;
  if (const auto user = event.text(Field::UserName); !user.empty()) look_at_names(address, user, event, findings);
  look_at_devices(address, event, findings);
  keep_bound();
}

}  // namespace

std::unique_ptr<Detector> make_password_spray() { return std::make_unique<PasswordSpray>(); }

}  // namespace picket::pipeline
