// Programs that look for their master under names they make up: many domains that do not exist, and that nobody would
// have chosen. Entropy alone is weak, content networks use names like that; so is a single strange name.
#include <algorithm>

#include "behavior/behavior.h"
#include "behavior/distinct_window.h"
#include "behavior/domain_name.h"
#include "behavior/event_words.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using message::Field;

constexpr DistinctWindow::Bounds kNames{.window = Duration::hours(1), .values_min = 10};
constexpr double kStrange = -6.0;  ///< pair_likelihood() of a label; words lie above.
constexpr std::size_t kLabelMin = 7;
constexpr std::size_t kDevicesMax = 16'384;
constexpr std::size_t kNamesListed = 16;

/// The label that the owner chose.
std::string_view chosen(std::string_view registered) { return registered.substr(0, registered.find('.')); }

class GeneratedNames final : public RememberingEntries<Detector, DistinctWindow> {
 public:
  GeneratedNames() : RememberingEntries("behavior.generated_names", kDevicesMax) {}
  void see(const DetectorEvent& event, std::vector<Finding>& findings) override {
    if (event.text(Field::ResponseCode) != "NXDOMAIN") return;
    const auto registered = registered_domain(event.text(Field::QueryName));
    const auto label = chosen(registered);
    // Names of other scripts are encoded, and look random.
    if (label.size() < kLabelMin || label.starts_with("xn--") || registered.find('.') == std::string_view::npos) return;
    const auto digits = std::ranges::count_if(label, [](char c) { return c >= '0' && c <= '9'; });
    const bool strange = pair_likelihood(label) < kStrange || digits * 3 >= static_cast<std::ptrdiff_t>(label.size());
    if (!strange) return;
    DistinctWindow& window = table_.touch(device_key(event));
    const TimeSpan span = span_of(event);
    window.last = event.enqueued;
    count_evicted(window.add(kNames, registered, span.first, span.last, event.evidence()));
    const auto fresh = window.report(kNames);
    keep_bound();
    if (fresh.empty()) return;
    Finding finding{.alert_type = "IoT_GeneratedNames", .group_key = "names"};
    add_sightings(finding, kNames, fresh);
    finding.properties = {{"Names That Do Not Exist", std::to_string(window.values())},
                          {"Window", "60 min"},
                          {"Names", joined(window.names(kNamesListed))},
                          {"Executable", std::string(event.text(Field::Executable))}};
    finding.entities = {{"dns", {{"DomainName", std::string(registered)}}}};
    findings.push_back(std::move(finding));
  }
  void forget(Timestamp now) override { forget_older(now - kNames.window - kNames.lateness); }
};

}  // namespace

std::unique_ptr<Detector> make_generated_names() { return std::make_unique<GeneratedNames>(); }

}  // namespace picket::pipeline
