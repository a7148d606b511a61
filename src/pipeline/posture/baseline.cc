// IoT_Baseline: how many checks of the baseline a device fails; and each failing check as a recommendation of its own.
#include "base/core/hash.h"
#include "base/core/json_writer.h"
#include "posture/device_items.h"
#include "posture/posture.h"

namespace picket::pipeline {
namespace {

using message::EventKind;
using message::Field;

constexpr std::string_view kCheckType = "IoT_CISBenchmarks_";
constexpr std::size_t kIdBytesMax = 64;
constexpr std::size_t kTextBytesMax = 1024;

/// The text of an item: how it went, F or E, then a letter of the severity.
/// Important and Informational begin alike.
std::string severity_letter(std::string_view severity) {
  if (severity == "Informational") return "N";
  return severity.empty() ? "W" : std::string(severity.substr(0, 1));
}
std::string severity_of(char letter) {
  switch (letter) {
    case 'C':
      return "High";
    case 'I':
      return "Medium";
    case 'N':
      return "Informational";
    default:
      return "Low";
  }
}

/// Part of a type's name: what a device calls a check may be anything.
std::string plain(std::string_view id) {
  std::string out(id.substr(0, kIdBytesMax));
  for (char& c : out) {
    const bool fine =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
    if (!fine) c = '_';
  }
  return out;
}

class Baseline final : public SnapshotDetector {
 public:
  Baseline() : SnapshotDetector("posture.baseline") {}

 private:
  bool is_mine(EventKind kind) const override { return kind == EventKind::Baseline || kind == EventKind::OSBaseline; }

  std::string key_of(const DetectorEvent& event) const override {
    if (event.event.kind == EventKind::Baseline) return plain(event.text(Field::BaselineCheckId));
    return plain(member_of(event, "CceId"));
  }

  std::string text_of(const DetectorEvent& event) const override {
    const bool ours = event.event.kind == EventKind::Baseline;
    const std::string result = member_of(event, ours ? "BaselineCheckResult" : "Result");
    if (result != "FAIL" && result != "ERROR") return {};
    return result.substr(0, 1) + severity_letter(member_of(event, ours ? "BaselineCheckSeverity" : "Severity"));
  }

  /// Only failing checks are recommendations: an error says nothing about the device.
  void changed(const DetectorEvent& event, const std::string& key, std::string_view before, std::string_view now,
               HubFindings& findings) override {
    const bool failed = before.starts_with('F');
    const bool fails = now.starts_with('F');
    if (failed == fails) return;
    RecommendationChange out = check_of(event.device, key, fails, event.enqueued);
    const bool ours = event.event.kind == EventKind::Baseline;
    out.display_name = member_of(event, ours ? "BaselineCheckDescription" : "Description");
    if (out.display_name.empty()) out.display_name = "Check " + key;
    const std::string remediation = member_of(event, "BaselineCheckRemediation");
    if (!remediation.empty()) out.remediation.push_back(remediation);
    out.severity = severity_of((fails ? now : before)[1]);
    out.data = data_of(event);
    findings.checks.push_back(std::move(out));
  }

  void gone(const DeviceItems& device, const KnownItem& item, Timestamp now, HubFindings& findings) override {
    if (!item.text.starts_with('F')) return;
    RecommendationChange out = check_of(device.device(), item.key, false, now);
    out.display_name = "Check " + item.key;
    out.severity = severity_of(item.text[1]);
    findings.checks.push_back(std::move(out));
  }

  /// The number of a change must only grow, over restarts too: the time does.
  static RecommendationChange check_of(const Identity& device, const std::string& key, bool active, Timestamp now) {
    RecommendationChange out;
    out.type = std::string(kCheckType) + key;
    out.recommendation_id = make_recommendation_id(device.hub, device.device_id, out.type);
    out.change = static_cast<std::uint32_t>(now.us / 1'000'000);
    out.description = "A check of the device's baseline fails: its configuration is weaker than it should be.";
    out.device = device;
    out.state = active ? RecommendationState::active : RecommendationState::resolved;
    out.discovered = now;
    out.first_evaluated = now;
    out.state_changed = now;
    if (!active) out.resolved = now;
    return out;
  }

  static std::string member_of(const DetectorEvent& event, std::string_view name) {
    const auto details = event.details();
    const auto found = details ? details->find(name) : std::nullopt;
    std::string out = found ? found->text().value_or("") : "";
    if (out.size() > kTextBytesMax) out.resize(kTextBytesMax);
    return out;
  }

  static std::string data_of(const DetectorEvent& event) {
    const auto details = event.details();
    const auto extra = details ? details->find("ExtraDetails") : std::nullopt;
    JsonWriter out;
    out.begin_object();
    for (const std::string_view name : {"Observed", "Expected", "Group", "Level", "Reference"}) {
      const auto found = extra ? extra->find(name) : std::nullopt;
      const std::string text = found ? found->text().value_or("") : "";
      if (!text.empty()) out.key(name).value(std::string_view(text).substr(0, kTextBytesMax));
    }
    return out.end_object().take();
  }

  /// The published names of the numbers, misspelled as published (spec catalogue, section 7). The snapshot is named by
  /// what it found: the same findings are the same snapshot.
  void judge(const DeviceItems& device, HubFindings& findings) override {
    std::map<char, std::size_t> failed;
    std::size_t failures = 0;
    std::size_t errors = 0;
    std::string all;
    for (const KnownItem& item : device.items) {
      const bool fails = item.text[0] == 'F';
      ++(fails ? failures : errors);
      if (fails) ++failed[item.text[1]];
      all += state_key(item.key, item.text);
    }
    JsonWriter data;
    data.begin_object().key("SnapshotId").value(std::to_string(fnv1a64(as_bytes(all))));
    data.key("TotalFailedRules").value(std::to_string(failures));
    data.key("TotalRulesFailedDuoToError").value(std::to_string(errors));
    data.key("TotalInformationalFailedRules").value(std::to_string(failed['N']));
    data.key("TotalCriticalFailedRules").value(std::to_string(failed['C']));
    data.key("TotalImportantFailedRules").value(std::to_string(failed['I']));
    data.key("TotalWarningFailedRules").value(std::to_string(failed['W']));
    findings.verdicts.push_back(
        {.type = "IoT_Baseline", .device = device.device(), .active = failures > 0, .data = data.end_object().take()});
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_baseline() { return std::make_unique<Baseline>(); }

}  // namespace picket::pipeline
