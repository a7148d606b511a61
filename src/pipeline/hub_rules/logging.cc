// Whether the hub's logs go anywhere, and whether the hub can keep up with writing them.
#include <algorithm>

#include "hub_rules/hub_rules.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

constexpr std::size_t kHubsMax = 1024;
constexpr std::size_t kSettingsMax = 64;  ///< Names remembered of one hub.

struct Hub {
  std::vector<std::string> settings;  ///< Names of diagnostic settings.
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.settings, self.last); }
};

bool is_set(const HubRecord& record) { return record.kind == "diagnostics.edit" || record.kind == "diagnostic.set"; }
bool is_deleted(const HubRecord& record) {
  return record.kind == "diagnostics.delete" || record.kind == "diagnostic.delete";
}

class Logging final : public Remembering<Hub> {
 public:
  Logging() : Remembering("hub.logging", kHubsMax) {}

  void see(const HubRecord& record, HubFindings& findings) override {
    const std::string& name = record.device.hub;
    if (name.empty()) return;
    if (record.dropped_before > 0) {
      HubFinding found = finding_of(record, "IoT_Logging");
      found.device = {name, "", "", ""};
      found.finding.count = record.dropped_before;
      found.finding.properties = {{"Lost Events", std::to_string(record.dropped_before)}};
      found.finding.entities.clear();
      findings.alerts.push_back(std::move(found));
    }
    if (record.audit && record.kind == "hub.delete") return table_.erase(name);
    const Entry* known = table_.find(name);
    const bool change = record.audit && (record.diagnostics || is_set(record) || is_deleted(record));
    if (known != nullptr && !change) return;
    Entry& hub = table_.touch(name);
    const bool had = !hub.settings.empty();
    hub.last = record.enqueued;
    if (change) apply(record, hub);
    keep_bound();
    findings.verdicts.push_back(
        {.type = "IoT_DiagnosticLogs", .device = {name, "", "", ""}, .active = hub.settings.empty()});
    if (!had || !hub.settings.empty()) return;
    HubFinding found = finding_of(record, "IoT_LoggingDisabled");
    found.device = {name, "", "", ""};
    findings.alerts.push_back(std::move(found));
  }

 private:
  static void apply(const HubRecord& record, Entry& hub) {
    if (record.diagnostics) {
      hub.settings = *record.diagnostics;
    } else if (is_deleted(record)) {
      std::erase(hub.settings, record.object);
    } else if (std::ranges::find(hub.settings, record.object) == hub.settings.end()) {
      hub.settings.push_back(record.object);
    }
    if (hub.settings.size() > kSettingsMax) hub.settings.resize(kSettingsMax);
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_logging() { return std::make_unique<Logging>(); }

}  // namespace picket::pipeline
