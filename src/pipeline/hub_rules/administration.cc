// Certificates and diagnostic settings of the hub are added, changed and deleted, or somebody tries to.
#include "hub_rules/hub_rules.h"

namespace picket::pipeline {
namespace {

struct Rule {
  std::string_view kind;
  std::string_view alert_type;
};

constexpr Rule kRules[] = {
    {"certificate.add", "IoT_CertificateSuccessfullyAddedToHub"},
    {"certificate.delete", "IoT_CertificateSuccessfullyDeletedFromHub"},
    {"certificate.add_failed", "Hub_CertificateFailedToBeAddedToHub"},
    {"certificate.delete_failed", "IoT.Hub_CertificateFailedToBeDeletedFromHub"},
    // "Attempt to": whether it worked is in the evidence.
    {"diagnostics.edit", "IoT_DiagnosticSettingAddedOrEditedOnHub"},
    {"diagnostics.delete", "IoT_DiagnosticSettingDeletedFromHub"},
    {"diagnostic.set", "IoT_DiagnosticSettingAddedOrEditedOnHub"},
    {"diagnostic.set_failed", "IoT_DiagnosticSettingAddedOrEditedOnHub"},
    {"diagnostic.delete", "IoT_DiagnosticSettingDeletedFromHub"},
    {"diagnostic.delete_failed", "IoT_DiagnosticSettingDeletedFromHub"},
};

class Administration final : public HubDetector {
 public:
  void see(const HubRecord& record, HubFindings& findings) override {
    if (!record.audit) return;
    for (const Rule& rule : kRules) {
      if (record.kind != rule.kind) continue;
      HubFinding found = finding_of(record, rule.alert_type, record.object);
      found.device = {record.device.hub, "", "", ""};
      NamedTexts& properties = found.finding.properties;
      if (record.certificate && !record.certificate->thumbprint.empty()) {
        properties.emplace_back("Thumbprint", record.certificate->thumbprint);
      }
      if (!record.before.empty()) properties.emplace_back("Before", record.before);
      if (!record.after.empty()) properties.emplace_back("After", record.after);
      if (rule.kind.starts_with("diagnostic")) {
        properties.emplace_back("Outcome", rule.kind.ends_with("_failed") ? "failed" : "done");
      }
      findings.alerts.push_back(std::move(found));
    }
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_administration() { return std::make_unique<Administration>(); }

}  // namespace picket::pipeline
