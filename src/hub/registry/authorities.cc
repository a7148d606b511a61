// CA certificates of hubs, and the proof that somebody holds their keys.
#include <algorithm>
#include <array>
#include <set>

#include "base/core/encoding.h"
#include "base/core/random.h"
#include "hub_work.h"
#include "net/certificate.h"
#include "state/identities.h"

namespace picket::hub {
namespace {

using state::Hubs;

constexpr std::size_t kCodeBytes = 24;

/// Hex in upper case, as IoT Hub's: 48 characters, which fit a common name (64).
std::string make_code() {
  std::array<std::byte, kCodeBytes> bytes{};
  random_bytes(bytes);
  auto out = to_hex(bytes);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
  return out;
}

AuthorityView view_of(const state::CaCertificate& stored) {
  AuthorityView out{
      .name = stored.name, .verified = stored.verified, .code = stored.code, .etag = stored.etag, .pem = stored.pem};
  const auto facts = net::parse_certificate(stored.pem);
  if (!facts) return out;
  out.subject = facts->subject;
  out.issuer = facts->issuer;
  out.sha1_thumbprint = facts->sha1_thumbprint;
  out.sha256_thumbprint = facts->sha256_thumbprint;
  out.not_before = facts->not_before;
  out.not_after = facts->not_after;
  return out;
}

HubResult<> check_authority_name(std::string_view name) {
  const bool good = !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
  if (good) return {};
  return invalid("name", "1 to 64 letters, digits, '-', '_' and '.'");
}

}  // namespace

void HubAdministration::tell_authorities() const {
  if (authorities_changed_) authorities_changed_();
}

void HubAdministration::tell_rights(std::string_view hub) const {
  if (rights_changed_) rights_changed_(hub);
}

std::unexpected<HubError> HubAdministration::certificate_failed(std::string_view kind, std::string_view hub,
                                                                std::string_view name, std::string_view thumbprint,
                                                                const state::Actor& actor, HubError error) {
  Audit audit(actor, hub);
  audit.field("certificate", name).field("outcome", "failed").field("reason", error.message);
  if (!thumbprint.empty()) audit.field("thumbprint", thumbprint);
  // What failed stays failed, whether or not it could be written down; the log of the store says if not.
  static_cast<void>(state::Outbox(database_).record(kind, "", audit.take(), clock_.now()).has_value());
  return std::unexpected(std::move(error));
}

HubResult<std::vector<AuthorityView>> HubAdministration::authorities(std::string_view hub) const {
  if (!settings_.of(hub)) return hub_fail(kDeviceNotFound, fmt::format("The hub {} does not exist.", hub));
  HUB_TRY(const auto stored, hub_result(Hubs(database_).certificates(hub), "The certificates"));
  std::vector<AuthorityView> out;
  for (const auto& one : stored) out.push_back(view_of(one));
  return out;
}

HubResult<AuthorityView> HubAdministration::add_authority(std::string_view hub, std::string_view name,
                                                          std::string_view certificate, bool verified,
                                                          const state::Actor& actor) {
  const auto facts = net::parse_certificate(certificate);
  const auto thumbprint = facts ? facts->sha256_thumbprint : std::string();
  auto added = [&]() -> HubResult<AuthorityView> {
    HUB_TRY_VOID(check_authority_name(name));
    if (!facts) return invalid("certificate", "an X.509 certificate, as PEM or DER");
    if (!facts->is_ca) return invalid("certificate", "that of a certificate authority (CA:TRUE)");
    HUB_TRY(const auto pem, hub_result(net::certificate_pem(certificate), "The certificate"));
    return change<AuthorityView>(hub, actor, [&](Work& work) -> HubResult<AuthorityView> {
      HUB_TRY_VOID(hub_result(Hubs::find(work.db, hub), fmt::format("The hub {}", hub)));
      const state::CaCertificate stored{
          std::string(hub),   std::string(name), pem,     verified, verified ? "" : make_code(),
          state::make_etag(), work.now,          work.now};
      HUB_TRY_VOID(hub_result(Hubs::insert(work.db, stored), fmt::format("The certificate {}", name)));
      auto audit = work.audit();
      audit.field("certificate", name).field("subject", facts->subject).field("thumbprint_before", "");
      audit.field("thumbprint", thumbprint).field("not_after", facts->not_after).field("verified", verified);
      HUB_TRY_VOID(work.record("certificate.add", audit.field("outcome", "succeeded")));
      return view_of(stored);
    });
  };
  const auto there = settings_.of(hub);
  auto result =
      there && there->authorities.size() >= kAuthoritiesMax
          ? HubResult<AuthorityView>(hub_fail(kQuotaExceeded, "The hub has 25 certificates, as many as it may."))
          : added();
  if (!result) return certificate_failed("certificate.add", hub, name, thumbprint, actor, result.error());
  if (verified) tell_authorities();
  return result;
}

HubResult<AuthorityView> HubAdministration::request_code(std::string_view hub, std::string_view name,
                                                         const state::Actor& actor) {
  return change<AuthorityView>(hub, actor, [&](Work& work) -> HubResult<AuthorityView> {
    HUB_TRY(auto stored,
            hub_result(Hubs::find_certificate(work.db, hub, name), fmt::format("The certificate {}", name)));
    if (stored.verified) return hub_fail(kArgumentInvalid, "Possession of this certificate's key is proven already.");
    stored.code = make_code();
    stored.etag = state::make_etag();
    stored.updated = work.now;
    HUB_TRY_VOID(hub_result(Hubs::update(work.db, stored), fmt::format("The certificate {}", name)));
    return view_of(stored);
  });
}

HubResult<AuthorityView> HubAdministration::verify_authority(std::string_view hub, std::string_view name,
                                                             std::string_view proof, const state::Actor& actor) {
  auto verified = change<AuthorityView>(hub, actor, [&](Work& work) -> HubResult<AuthorityView> {
    HUB_TRY(auto stored,
            hub_result(Hubs::find_certificate(work.db, hub, name), fmt::format("The certificate {}", name)));
    const auto proven = net::proves_possession(stored.pem, proof, stored.code);
    if (!proven) return invalid("The proof", "an X.509 certificate, as PEM or DER");
    if (!*proven)
      return hub_fail(kArgumentInvalid,
                      "The proof must have the verification code as its common name and be signed with the CA's key.");
    stored.verified = true;
    stored.code.clear();
    stored.etag = state::make_etag();
    stored.updated = work.now;
    HUB_TRY_VOID(hub_result(Hubs::update(work.db, stored), fmt::format("The certificate {}", name)));
    const auto view = view_of(stored);
    auto audit = work.audit();
    audit.field("certificate", name).field("subject", view.subject).field("thumbprint", view.sha256_thumbprint);
    HUB_TRY_VOID(work.record("certificate.verify", audit.field("outcome", "succeeded")));
    return view;
  });
  if (!verified) return certificate_failed("certificate.verify", hub, name, "", actor, verified.error());
  tell_authorities();
  return verified;
}

HubResult<> HubAdministration::remove_authority(std::string_view hub, std::string_view name,
                                                const state::Actor& actor) {
  auto removed = change<void>(hub, actor, [&](Work& work) -> HubResult<> {
    HUB_TRY(const auto stored,
            hub_result(Hubs::find_certificate(work.db, hub, name), fmt::format("The certificate {}", name)));
    HUB_TRY_VOID(hub_result(Hubs::erase_certificate(work.db, hub, name), fmt::format("The certificate {}", name)));
    const auto view = view_of(stored);
    auto audit = work.audit();
    audit.field("certificate", name).field("subject", view.subject);
    audit.field("thumbprint_before", view.sha256_thumbprint).field("thumbprint", "");
    return work.record("certificate.delete", audit.field("outcome", "succeeded"));
  });
  if (!removed) return certificate_failed("certificate.delete", hub, name, "", actor, removed.error());
  tell_authorities();
  tell_rights(hub);
  return removed;
}

std::string HubAdministration::authorities_pem() const {
  std::string out;
  std::set<std::string> seen;
  for (const auto& hub : settings_.all()) {
    for (const TrustedCa& ca : hub->authorities) {
      if (seen.insert(ca.sha256_thumbprint).second) out += ca.pem;
    }
  }
  return out;
}

}  // namespace picket::hub
