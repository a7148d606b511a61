// IoT_VulnerableTLSCipherSuite: what a device negotiates; IoT_WeakTlsAttempt: what the hub refused.
#include <algorithm>

#include "base/core/json_writer.h"
#include "hub_rules/hub_rules.h"

namespace picket::pipeline {
namespace {

bool contains_any(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

/// Empty: nothing is wrong. Names as OpenSSL writes them.
std::string_view weakness(const HubRecord& record) {
  const std::string_view version = record.tls_version;
  if (version == "TLSv1.3") return {};
  if (version != "TLSv1.2") return "the protocol version is retired";
  const std::string_view cipher = record.tls_cipher;
  if (cipher.empty()) return {};
  if (contains_any(cipher, {"NULL", "EXP", "RC4", "DES", "MD5", "anon", "ADH", "AECDH"})) return "the cipher is broken";
  if (!cipher.starts_with("ECDHE") && !cipher.starts_with("DHE") && !cipher.starts_with("TLS_")) {
    return "without forward secrecy: a key that is stolen later opens what is recorded now";
  }
  if (!contains_any(cipher, {"GCM", "CCM", "CHACHA20"})) return "without authenticated encryption";
  return {};
}

class Tls final : public HubDetector {
 public:
  void see(const HubRecord& record, HubFindings& findings) override {
    if (record.audit) return;
    if (record.kind == "connect" && record.proven && !record.tls_version.empty()) {
      const std::string_view weak = weakness(record);
      Verdict verdict{.type = "IoT_VulnerableTLSCipherSuite", .device = record.device, .active = !weak.empty()};
      verdict.device.module_id.clear();
      verdict.data = JsonWriter()
                         .begin_object()
                         .key("TlsVersion")
                         .value(record.tls_version)
                         .key("Cipher")
                         .value(record.tls_cipher)
                         .key("Reason")
                         .value(weak)
                         .end_object()
                         .take();
      findings.verdicts.push_back(std::move(verdict));
    }
    const bool refused =
        (record.kind == "auth_failed" && record.reason == "tls_policy") ||
        (record.kind == "tls_failed" &&
         contains_any(record.reason, {"protocol", "version too low", "no shared cipher", "insufficient"}));
    if (!refused) return;
    HubFinding found = finding_of(record, "IoT_WeakTlsAttempt", record.source);
    if (record.kind == "tls_failed") found.device = {record.device.hub, "", "", ""};
    if (!record.tls_version.empty()) found.finding.properties.emplace_back("TLS Version", record.tls_version);
    findings.alerts.push_back(std::move(found));
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_tls() { return std::make_unique<Tls>(); }

}  // namespace picket::pipeline
