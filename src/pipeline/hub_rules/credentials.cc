// A device, or somebody who claims to be it, shows a credential that does not hold.
#include "hub_rules/hub_rules.h"

namespace picket::pipeline {
namespace {

struct Rule {
  std::string_view reason;
  std::string_view alert_type;
};

constexpr Rule kRules[] = {
    {"token_expired", "IoT_Expired_SAS_Token"},
    {"token_signature", "IoT_Invalid_SAS_Token"},
    {"certificate_expired", "IoT_Cert_Expired"},
    {"thumbprint_mismatch", "IoT_Cert_Print_Mismatch"},
    {"certificate_thumbprint", "IoT_Cert_Print_Mismatch"},
};

void say(HubFinding& found, std::string_view name, const std::string& value) {
  if (!value.empty()) found.finding.properties.emplace_back(name, value);
}

/// The same device, connected elsewhere while somebody fails to prove that he is it.
void say_impersonation(const HubRecord& record, HubFinding& found) {
  if (!record.claimed_online) return;
  say(found, "Device Online", *record.claimed_online ? "true" : "false");
  if (!*record.claimed_online) return;
  say(found, "Impersonation", "likely: the device itself was connected at that moment");
  found.finding.severity = "High";
}

class Credentials final : public HubDetector {
 public:
  void see(const HubRecord& record, HubFindings& findings) override {
    if (record.audit || record.kind != "auth_failed" || record.device.device_id.empty()) return;
    for (const Rule& rule : kRules) {
      if (record.reason != rule.reason) continue;
      HubFinding found = finding_of(record, rule.alert_type);
      say(found, "Module", record.device.module_id);
      say(found, "Policy", record.policy);
      if (record.token_expiry) {
        say(found, "Token Expiry", format_rfc3339(*record.token_expiry));
        const Duration age = record.time - *record.token_expiry;
        if (age.us > 0) say(found, "Expired For Seconds", std::to_string(age.whole_seconds()));
      }
      if (const auto& certificate = record.certificate) {
        say(found, "Thumbprint", certificate->thumbprint);
        say(found, "Issuer", certificate->issuer);
        say(found, "Subject", certificate->subject);
        if (certificate->not_after) say(found, "Not After", format_rfc3339(*certificate->not_after));
      }
      say(found, "SDK", record.sdk);
      say_impersonation(record, found);
      findings.alerts.push_back(std::move(found));
    }
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_credentials() { return std::make_unique<Credentials>(); }

}  // namespace picket::pipeline
