// Certificates that a hub does not take any more.
#include "state/revocations.h"

#include <algorithm>

#include "hub_work.h"
#include "net/certificate.h"

namespace picket::hub {
namespace {

constexpr std::size_t kSha1Digits = 40;
constexpr std::size_t kSha256Digits = 64;
constexpr std::size_t kTextBytesMax = 256;

/// "AB:CD" and "abcd" are the same thumbprint; nullopt: no SHA-1 or SHA-256.
std::optional<std::string> thumbprint_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == ':') continue;
    const char digit = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
    const bool hex = (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f');
    if (!hex || out.size() == kSha256Digits) return std::nullopt;
    out += digit;
  }
  if (out.size() != kSha1Digits && out.size() != kSha256Digits) return std::nullopt;
  return out;
}

}  // namespace

HubResult<RevokedCertificate> HubAdministration::revoke_certificate(std::string_view hub, const RevocationSpec& spec,
                                                                    const state::Actor& actor) {
  RevokedCertificate out{.thumbprint = {}, .name = spec.name, .reason = spec.reason, .revoked = clock_.now()};
  const auto find = [&](Work& work) -> HubResult<> {
    if (spec.reason.size() > kTextBytesMax || !is_line(spec.reason)) return invalid("reason", "one line of 256 bytes");
    if (spec.name.size() > kTextBytesMax || !is_line(spec.name)) return invalid("name", "one line of 256 bytes");
    std::string certificate = spec.certificate;
    if (!spec.authority.empty()) {
      HUB_TRY(const auto stored, hub_result(state::Hubs::find_certificate(work.db, hub, spec.authority),
                                            fmt::format("The certificate {}", spec.authority)));
      certificate = stored.pem;
      if (out.name.empty()) out.name = spec.authority;
    }
    if (!certificate.empty()) {
      const auto facts = net::parse_certificate(certificate);
      if (!facts) return invalid("certificate", "an X.509 certificate, as PEM or DER");
      out.thumbprint = facts->sha256_thumbprint;
      if (out.name.empty()) out.name = facts->subject;
    } else {
      const auto thumbprint = thumbprint_of(spec.thumbprint);
      if (!thumbprint) return invalid("thumbprint", "40 or 64 hexadecimal digits");
      out.thumbprint = *thumbprint;
    }
    return {};
  };
  auto revoked = change<RevokedCertificate>(hub, actor, [&](Work& work) -> HubResult<RevokedCertificate> {
    HUB_TRY_VOID(hub_result(state::Hubs::find(work.db, hub), fmt::format("The hub {}", hub)));
    HUB_TRY_VOID(find(work));
    const auto there = settings_.of(hub);
    if (there && there->revoked.size() >= kRevocationsMax)
      return hub_fail(kQuotaExceeded, "The hub has 10000 revoked certificates, as many as it may.");
    HUB_TRY_VOID(
        hub_result(state::Revocations::insert(work.db, {work.hub, out.thumbprint, out.name, out.reason, out.revoked}),
                   "The revocation"));
    auto audit = work.audit();
    audit.field("certificate", out.name.empty() ? out.thumbprint : out.name).field("thumbprint", out.thumbprint);
    audit.field("authority", !spec.authority.empty()).field("reason", out.reason);
    HUB_TRY_VOID(work.record("certificate.revoke", audit.field("outcome", "succeeded")));
    return out;
  });
  if (!revoked) {
    return certificate_failed("certificate.revoke", hub, spec.authority.empty() ? spec.name : spec.authority,
                              out.thumbprint, actor, revoked.error());
  }
  tell_rights(hub);
  return revoked;
}

HubResult<> HubAdministration::restore_certificate(std::string_view hub, std::string_view thumbprint,
                                                   const state::Actor& actor) {
  const auto wanted = thumbprint_of(thumbprint);
  if (!wanted) return invalid("thumbprint", "40 or 64 hexadecimal digits");
  return change<void>(hub, actor, [&](Work& work) -> HubResult<> {
    HUB_TRY_VOID(hub_result(state::Revocations::erase(work.db, hub, *wanted), "The revocation"));
    auto audit = work.audit();
    audit.field("certificate", *wanted).field("thumbprint", *wanted);
    return work.record("certificate.restore", audit.field("outcome", "succeeded"));
  });
}

}  // namespace picket::hub
