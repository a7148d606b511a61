// One address tries many names on a device, or knocks at many devices. Failures of one name are brute_force's business.
#include "behavior/behavior.h"
#include "behavior/distinct_window.h"
#include "behavior/event_words.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::Field;

constexpr DistinctWindow::Bounds kNames{.window = Duration::minutes(10), .values_min = 5};
constexpr DistinctWindow::Bounds kDevices{.window = Duration::hours(1), .values_min = 3};
constexpr std::size_t kSourcesMax = 16'384;
constexpr std::size_t kNamesListed = 16;

class PasswordSpray final : public RememberingEntries<Detector, DistinctWindow> {
 public:
  PasswordSpray() : RememberingEntries("behavior.password_spray", kSourcesMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override;
  void forget(Timestamp now) override { forget_older(now - kDevices.window - kDevices.lateness); }

 private:
  void look(const std::string& key, const DistinctWindow::Bounds& bounds, std::string_view value,
            std::string_view counted, const std::string& address, const DetectorEvent& event,
            std::vector<Finding>& findings);
};

void PasswordSpray::look(const std::string& key, const DistinctWindow::Bounds& bounds, std::string_view value,
                         std::string_view counted, const std::string& address, const DetectorEvent& event,
                         std::vector<Finding>& findings) {
  DistinctWindow& window = table_.touch(key);
  const TimeSpan span = span_of(event);
  window.last = event.enqueued;
  count_evicted(window.add(bounds, value, span.first, span.last, event.evidence()));
  const auto fresh = window.report(bounds);
  if (fresh.empty()) return;
  Finding finding{.alert_type = "IoT_PasswordSpray", .group_key = state_key(counted, address)};
  add_sightings(finding, bounds, fresh);
  finding.properties = {{"Remote Address", address},
                        {std::string(counted), std::to_string(window.values())},
                        {std::string(counted) + " List", joined(window.names(kNamesListed))},
                        {"Window", std::to_string(bounds.window.us / 60'000'000) + " min"}};
  finding.entities = {{"ip", {{"Address", address}}}};
  findings.push_back(std::move(finding));
}

void PasswordSpray::see(const DetectorEvent& event, std::vector<Finding>& findings) {
  const std::string address = normal_address(event.text(Field::RemoteAddress));
  if (failures_of(event) == 0 || address.empty() || address == "?") return;
  if (const auto user = event.text(Field::UserName); !user.empty()) {
    look(device_key(event, "names", address), kNames, user, "Users", address, event, findings);
  }
  // The fleet's view: no device in the key.
  look(state_key(event.device.hub, "devices", address), kDevices, event.device.device_id, "Devices", address, event,
       findings);
  keep_bound();
}

}  // namespace

std::unique_ptr<Detector> make_password_spray() { return std::make_unique<PasswordSpray>(); }

}  // namespace picket::pipeline
