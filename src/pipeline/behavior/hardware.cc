// Hardware that does not belong: a keyboard that appears on a device without one, a program that is started from a
// stick, a kind of hardware that no other device of the model has.
#include <algorithm>

#include "behavior/behavior.h"
#include "behavior/event_words.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::EventKind;
using message::Field;

/// USB class codes (usb.org, defined class codes).
constexpr std::int64_t kHumanInterface = 3;
constexpr std::int64_t kMassStorage = 8;

/// So long a model is watched before something new on it is worth an alert; until then it is learned.
constexpr Duration kLearning = Duration::days(7);
/// A program so soon after a stick came, from where sticks are mounted, came with it.
constexpr Duration kStorageWindow = Duration::hours(24);
constexpr Duration kForgotten = Duration::days(180);
constexpr std::size_t kEntriesMax = 32'768;
constexpr std::size_t kKnownMax = 256;  ///< Of one model.

constexpr std::string_view kMounts[] = {"/media/", "/mnt/", "/run/media/", "/run/mount/", "/tmp/run/mountd/"};

/// Either of a model ("vendor:product" of all its devices), or of a device (its newest stick).
struct Entry {
  Timestamp first;
  std::vector<std::string> known;
  std::string storage;
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.first, self.known, self.storage, self.last); }
};

class Hardware final : public RememberingDetector<Entry> {
 public:
  Hardware() : RememberingDetector("behavior.hardware", kEntriesMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    if (event.event.kind == EventKind::ProcessCreate) return see_process(event, findings);
    if (event.text(Field::PeripheralType) == "Usb" && event.text(Field::ActionType) == "Connected") {
      see_usb(event, findings);
    }
    keep_bound();
  }
  void forget(Timestamp now) override { forget_older(now - kForgotten); }

 private:
  void see_usb(const DetectorEvent& event, std::vector<Finding>& findings);
  void see_process(const DetectorEvent& event, std::vector<Finding>& findings);
};

std::int64_t class_of(const DetectorEvent& event) {
  const auto details = event.details();
  if (!details) return 0;
  for (const char* key : {"DeviceClass", "InterfaceClass"}) {
    if (const auto member = details->find(key)) {
      if (const auto number = member->integer(); number && *number != 0) return *number;
    }
  }
  return 0;
}

/// Classes of all interfaces, as the agent lists them: a stick may be a keyboard too.
bool has_class(const DetectorEvent& event, std::int64_t wanted) {
  if (class_of(event) == wanted) return true;
  const auto details = event.details();
  const auto extra = details ? details->find("ExtraDetails") : std::nullopt;
  const auto list = extra ? extra->find("InterfaceClasses") : std::nullopt;
  const auto text = list ? list->text() : std::nullopt;
  if (!text) return false;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of(",; "), rest.size());
    std::string_view one = rest.substr(0, end);
    one = one.substr(0, one.find('/'));
    if (one == std::to_string(wanted) ||
        (one.size() == 2 && one[0] == '0' && one.substr(1) == std::to_string(wanted))) {
      return true;
    }
    rest.remove_prefix(std::min(rest.size(), end + 1));
  }
  return false;
}

Finding hardware_finding(std::string_view type, const DetectorEvent& event, std::string group_key,
                         std::string_view reason) {
  const TimeSpan span = span_of(event);
  Finding finding{.alert_type = type, .group_key = std::move(group_key), .start = span.first, .end = span.last};
  finding.count = hits_of(event);
  finding.evidence.push_back(event.evidence());
  finding.properties.emplace_back("Reason", std::string(reason));
  finding.properties.emplace_back("Vendor Id", std::string(event.text(Field::VendorId)));
  finding.properties.emplace_back("Product Id", std::string(event.text(Field::ProductId)));
  finding.properties.emplace_back("Model", std::string(event.model));
  return finding;
}

void Hardware::see_usb(const DetectorEvent& event, std::vector<Finding>& findings) {
  const std::string name = std::string(event.text(Field::VendorId)) + ":" + std::string(event.text(Field::ProductId));
  if (has_class(event, kMassStorage)) {
    Entry& device = table_.touch(device_key(event, "storage"));
    device.first = event.time;
    device.storage = name;
    device.last = event.enqueued;
  }
  Entry& model = table_.touch(state_key(event.device.hub, "model", event.model));
  if (model.last.us == 0) model.first = event.enqueued;
  model.last = event.enqueued;
  const bool learned = event.enqueued - model.first >= kLearning;
  const bool known = std::ranges::find(model.known, name) != model.known.end();
  if (!known) {
    model.known.push_back(name);
    if (model.known.size() > kKnownMax) {
      model.known.erase(model.known.begin());
      count_evicted(1);
    }
  }
  if (has_class(event, kHumanInterface) && !known) {
    // Most devices of a fleet have nobody who types; what types by itself is a tool of attack.
    return findings.push_back(
        hardware_finding("IoT_UnusualHardware", event, name, "a keyboard or mouse that no device of this model had"));
  }
  if (learned && !known) {
    findings.push_back(
        hardware_finding("IoT_UnusualHardware", event, name, "no device of this model had such hardware before"));
  }
}

void Hardware::see_process(const DetectorEvent& event, std::vector<Finding>& findings) {
  const auto executable = event.text(Field::Executable);
  const bool mounted =
      std::ranges::any_of(kMounts, [&](std::string_view mount) { return executable.starts_with(mount); });
  if (!mounted) return;
  const Entry* device = table_.find(device_key(event, "storage"));
  if (device == nullptr || event.time < device->first || event.time - device->first > kStorageWindow) return;
  Finding finding = hardware_finding("IoT_RemovableMediaExecution", event, state_key(device->storage, executable),
                                     "a program on a stick that was plugged in before");
  finding.properties[1].second = device->storage.substr(0, device->storage.find(':'));
  finding.properties[2].second = device->storage.substr(device->storage.find(':') + 1);
  finding.properties.emplace_back("Executable", std::string(executable));
  finding.properties.emplace_back("CommandLine", std::string(event.text(Field::CommandLine)));
  findings.push_back(std::move(finding));
}

}  // namespace

std::unique_ptr<Detector> make_hardware() { return std::make_unique<Hardware>(); }

}  // namespace picket::pipeline
