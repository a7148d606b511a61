// Certificates of devices and CAs: soon expired, old, weak, or revoked and still in use.
#include <algorithm>
#include <charconv>

#include "base/core/json_writer.h"
#include "hub_rules/hub_rules.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

constexpr Duration kDeviceSoon = Duration::days(30);
constexpr Duration kCaSoon = Duration::days(60);
constexpr Duration kOld = Duration::days(2 * 365);
constexpr int kRsaBitsMin = 2048;
constexpr int kEcBitsMin = 224;
constexpr std::size_t kEntriesMax = 262'144;  ///< Devices, CAs and thumbprints that are not good any more.

enum Kind : std::uint64_t { kDevice, kCa, kGone };

/// One device's newest certificate, one CA, or one thumbprint that must not be used any more.
struct Known {
  std::uint64_t kind = kDevice;
  std::string hub;
  std::string name;  ///< Device id, name of the CA, how the thumbprint went.
  std::string thumbprint;
  std::optional<Timestamp> not_before;
  std::optional<Timestamp> not_after;
  bool expiring = false;
  bool old = false;
  Timestamp last;
  static auto fields(auto& self) {
    return std::tie(self.kind, self.hub, self.name, self.thumbprint, self.not_before, self.not_after, self.expiring,
                    self.old, self.last);
  }
};

/// Digits of "prime256v1", "secp192r1", "rsa:2048".
int number_in(std::string_view text) {
  const auto first = std::ranges::find_if(text, [](char c) { return c >= '0' && c <= '9'; });
  int out = 0;
  std::from_chars(std::to_address(first), text.data() + text.size(), out);
  return out;
}

std::string weakness(const HubCertificate& certificate) {
  const std::string_view key = certificate.key;
  if (key.starts_with("rsa") && number_in(key) < kRsaBitsMin) return "an RSA key of less than 2048 bits";
  if (key.starts_with("dsa")) return "a DSA key";
  if (key.starts_with("ec:") && key.find("25519") == std::string_view::npos && number_in(key) > 0 &&
      number_in(key) < kEcBitsMin) {
    return "an elliptic curve of less than 224 bits";
  }
  for (const std::string_view hash : {"md5", "MD5", "sha1", "SHA1"}) {
    if (certificate.signature.find(hash) != std::string::npos) return "signed with " + std::string(hash);
  }
  return {};
}

std::string data_of(std::string_view name, const std::string& value, const std::string& thumbprint) {
  return JsonWriter().begin_object().key(name).value(value).key("Thumbprint").value(thumbprint).end_object().take();
}

class Certificates final : public Remembering<Known> {
 public:
  Certificates() : Remembering("hub.certificates", kEntriesMax) {}

  void see(const HubRecord& record, HubFindings& findings) override {
    if (record.audit) return see_change(record, findings);
    if (!record.certificate || record.certificate->thumbprint.empty()) return;
    if (record.kind == "connect" && record.proven) see_device(record, findings);
    const bool used = (record.kind == "connect" && record.proven) || record.reason == "certificate_revoked";
    if (used) look_for_revoked(record, findings);
  }

  void minute(Timestamp now, HubFindings& findings) override {
    std::vector<std::string> due;
    for (const auto& [key, entry] : table_.entries()) {
      if (is_expiring(entry, now) != entry.expiring || is_old(entry, now) != entry.old) due.push_back(key);
    }
    for (const std::string& key : due) judge(table_.touch(key), now, findings);
  }

 private:
  static bool is_expiring(const Entry& entry, Timestamp now) {
    return entry.kind != kGone && entry.not_after &&
           *entry.not_after - (entry.kind == kCa ? kCaSoon : kDeviceSoon) <= now;
  }
  static bool is_old(const Entry& entry, Timestamp now) {
    return entry.kind == kDevice && entry.not_before && *entry.not_before + kOld <= now;
  }
  static Identity device_of(const Entry& entry) { return {entry.hub, entry.kind == kDevice ? entry.name : "", "", ""}; }

  void judge(Entry& entry, Timestamp now, HubFindings& findings) {
    entry.expiring = is_expiring(entry, now);
    entry.old = is_old(entry, now);
    if (entry.kind == kCa) return judge_authorities(entry.hub, findings);
    findings.verdicts.push_back(
        {.type = "IoT_CertificateExpiring",
         .device = device_of(entry),
         .active = entry.expiring,
         .data = data_of("NotAfter", format_rfc3339(entry.not_after.value_or(Timestamp{})), entry.thumbprint)});
    findings.verdicts.push_back(
        {.type = "IoT_CertificateOld",
         .device = device_of(entry),
         .active = entry.old,
         .data = data_of("NotBefore", format_rfc3339(entry.not_before.value_or(Timestamp{})), entry.thumbprint)});
  }

  /// One recommendation for all CAs of a hub.
  void judge_authorities(const std::string& hub, HubFindings& findings) {
    std::string list = "[";
    for (const auto& [key, entry] : table_.entries()) {
      if (entry.kind != kCa || entry.hub != hub || !entry.expiring) continue;
      if (list.size() > 1) list += ',';
      list += JsonWriter()
                  .begin_object()
                  .key("Name")
                  .value(entry.name)
                  .key("NotAfter")
                  .value(*entry.not_after)
                  .end_object()
                  .take();
    }
    findings.verdicts.push_back(
        {.type = "IoT_CaCertificateExpiring",
         .device = {hub, "", "", ""},
         .active = list.size() > 1,
         .data = JsonWriter().begin_object().key("Certificates").value(list + "]").end_object().take()});
  }

  Entry& entry(Kind kind, const std::string& hub, const std::string& name, Timestamp now) {
    const std::string key = state_key(std::to_string(kind), hub, name);
    Entry& out = table_.touch(key);
    out.kind = kind;
    out.hub = hub;
    out.name = name;
    out.last = now;
    keep_bound();
    return table_.touch(key);
  }

  void see_device(const HubRecord& record, HubFindings& findings) {
    const HubCertificate& certificate = *record.certificate;
    const Entry* known = table_.find(state_key(std::to_string(kDevice), record.device.hub, record.device.device_id));
    const auto weak = weakness(certificate);
    Identity device = record.device;
    device.module_id.clear();
    findings.verdicts.push_back({.type = "IoT_CertificateWeakKey",
                                 .device = device,
                                 .active = !weak.empty(),
                                 .data = data_of("Reason", weak, certificate.thumbprint)});
    if (known != nullptr && known->thumbprint == certificate.thumbprint) return;
    Entry& made = entry(kDevice, record.device.hub, record.device.device_id, record.enqueued);
    made.thumbprint = certificate.thumbprint;
    made.not_before = certificate.not_before;
    made.not_after = certificate.not_after;
    judge(made, record.enqueued, findings);
  }

  void look_for_revoked(const HubRecord& record, HubFindings& findings) {
    const Entry* gone = nullptr;
    for (const std::string& thumbprint : {record.certificate->thumbprint, record.certificate->issuer_thumbprint}) {
      if (gone == nullptr && !thumbprint.empty()) {
        gone = table_.find(state_key(std::to_string(kGone), record.device.hub, thumbprint));
      }
    }
    if (gone == nullptr && record.reason != "certificate_revoked") return;
    HubFinding found = finding_of(record, "IoT_RevokedCertificateActive", record.certificate->thumbprint);
    found.finding.properties.emplace_back("Thumbprint", record.certificate->thumbprint);
    found.finding.properties.emplace_back("Accepted", record.kind == "connect" ? "true" : "false");
    findings.alerts.push_back(std::move(found));
  }

  void see_change(const HubRecord& record, HubFindings& findings) {
    const std::string& hub = record.device.hub;
    if (record.kind == "device.delete") {
      return table_.erase(state_key(std::to_string(kDevice), hub, record.device.device_id));
    }
    if (!record.certificate) return;
    const std::string thumbprint =
        !record.certificate->thumbprint.empty() ? record.certificate->thumbprint : record.before;
    if (record.kind == "certificate.delete" || record.kind == "certificate.revoke") {
      if (!thumbprint.empty()) entry(kGone, hub, thumbprint, record.enqueued);
    }
    if (record.kind == "certificate.restore") return table_.erase(state_key(std::to_string(kGone), hub, thumbprint));
    if (record.kind == "certificate.delete") {
      table_.erase(state_key(std::to_string(kCa), hub, record.object));
      return judge_authorities(hub, findings);
    }
    const bool is_there =
        record.kind == "certificate.add" || record.kind == "certificate.update" || record.kind == "certificate.verify";
    if (!is_there || !record.certificate->not_after) return;
    table_.erase(state_key(std::to_string(kGone), hub, thumbprint));
    Entry& authority = entry(kCa, hub, record.object, record.enqueued);
    authority.thumbprint = thumbprint;
    authority.not_after = record.certificate->not_after;
    judge(authority, record.enqueued, findings);
  }
};

}  // namespace

std::unique_ptr<HubDetector> make_certificates() { return std::make_unique<Certificates>(); }

}  // namespace picket::pipeline
