// A device, or somebody who claims to be it, shows a credential that does not hold.
#include <algorithm>

#include "hub_rules/hub_rules.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

struct Rule {
  std::string_view reason;
  std::string_view alert_type;
};

constexpr std::size_t kDevicesMax = 262'144;

/// How many connections an identity has, from what the hub said about their beginnings and ends.
struct Online {
  std::uint64_t open = 0;
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.open, self.last); }
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
void say_impersonation(bool online, HubFinding& found) {
  say(found, "Device Online", online ? "true" : "false");
  if (!online) return;
  say(found, "Impersonation", "likely: the device itself was connected at that moment");
  found.finding.severity = "High";
}

class Credentials final : public Remembering<Online> {
 public:
  Credentials() : Remembering("hub.credentials", kDevicesMax) {}

  void see(const HubRecord& record, HubFindings& findings) override {
    follow(record);
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
      const Entry* known = table_.find(key_of(record.device));
      // The hub knows best; where it does not say, its log does.
      say_impersonation(record.claimed_online.value_or(known != nullptr && known->open > 0), found);
      findings.alerts.push_back(std::move(found));
    }
  }

 private:
  static std::string key_of(const Identity& device) {
    return state_key(device.hub, device.device_id, device.module_id);
  }

  void follow(const HubRecord& record) {
    // The first event of a start: connections of the time before are gone, whether or not their ends were logged.
    if (record.sequence == 1) table_.erase_if([](const std::string&, const Entry&) { return true; });
    if (record.audit || !record.proven) return;
    if (record.kind == "connect") {
      Entry& device = table_.touch(key_of(record.device));
      device.open = std::min<std::uint64_t>(device.open + 1, 1024);
      device.last = record.enqueued;
      keep_bound();
    } else if (record.kind == "disconnect") {
      const Entry* known = table_.find(key_of(record.device));
      if (known != nullptr && known->open > 1) {
        --table_.touch(key_of(record.device)).open;
      } else {
        table_.erase(key_of(record.device));
      }
    }
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_credentials() { return std::make_unique<Credentials>(); }

}  // namespace picket::pipeline
