// Operators' side of hubs: make, configure and remove them, their shared access policies and CA certificates.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "hub/hub_error.h"
#include "hub/hub_settings.h"
#include "state/database.h"
#include "state/devices.h"
#include "state/hubs.h"

namespace picket::hub {

inline constexpr std::size_t kHubsMax = 50;
inline constexpr std::size_t kPoliciesMax = 20;
inline constexpr std::size_t kAuthoritiesMax = 25;
inline constexpr std::size_t kRevocationsMax = 10'000;  ///< Of a hub.

struct HubSpec {
  std::string
      name;  ///< 3 to 50 letters, digits and '-', not at the ends: it is the first label of the hub's host name.
  std::string location = "local";
  std::string tier = "none";  ///< Limits like those of IoT Hub's F1, S1, S2 or S3; none: the machine's own.
  std::uint32_t units = 1;  ///< 1 to 200
};

/// Which certificate; one of the first three is given.
struct RevocationSpec {
  std::string authority;    ///< Name of a CA of the hub.
  std::string thumbprint;   ///< SHA-1 or SHA-256, hex in either case, ':' between bytes allowed.
  std::string certificate;  ///< PEM or DER.
  std::string name;         ///< What the operator calls it; empty: the CA's name, or the subject.
  std::string reason;
};

/// A CA certificate as operators see it.
struct AuthorityView {
  std::string name;
  std::string subject;
  std::string issuer;
  std::string sha1_thumbprint;
  std::string sha256_thumbprint;
  Timestamp not_before;
  Timestamp not_after;
  bool verified = false;
  std::string code;  ///< What a proof must name; empty: none was asked for.
  std::string etag;
  std::string pem;
};

/// Any thread but I/O threads: calls wait for the disk. Each change and each failure to change a certificate is an
/// audit record in the outbox (hub.create, hub.update, hub.delete, policy.create, policy.rotate, policy.delete,
/// certificate.add, certificate.verify, certificate.delete, certificate.revoke, certificate.restore, diagnostics.edit, diagnostics.delete, filter.change), and
/// the settings store has the new snapshot when the call returns.
class HubAdministration {
 public:
  /// All outlive it.
  HubAdministration(state::Database& database, HubSettingsStore& settings, const Clock& clock,
                    std::string installation_id);

  /// Before anything else: reads all hubs into the settings store. Makes `first` when there is no hub at all, or none
  /// of its name: an installation has its default hub. Errors: 500001, 503003.
  HubResult<> load(const HubSpec& first);
  /// Called after the set of proven CAs of any hub has changed: the TLS contexts need authorities_pem() anew.
  void on_authorities_changed(std::function<void()> listener) { authorities_changed_ = std::move(listener); }

  /// Called after a change that may have taken rights away from who is connected: settings, policies, CAs, revocations.
  /// The settings store has the new snapshot.
  void on_rights_changed(std::function<void(std::string_view hub)> listener) { rights_changed_ = std::move(listener); }

  /// With the five policies of IoT Hub and generated keys. Errors: 409001, 400004, 403002.
  HubResult<std::shared_ptr<const HubSettings>> create(const HubSpec& spec, const state::Actor& actor);
  /// Errors: 404001; 400004 while it has devices.
  HubResult<> remove(std::string_view hub, const state::Actor& actor);
  /// Tier, units and location. Errors: 404001, 400004.
  HubResult<> resize(const HubSpec& spec, const state::Actor& actor);
  /// Errors: 404001, 412001.
  HubResult<> configure(std::string_view hub, const HubConfiguration& configuration, std::string_view if_match,
                        const state::Actor& actor);

  HubResult<std::vector<state::Policy>> policies(std::string_view hub) const;
  /// Keys of one policy; recorded as key.read.
  HubResult<state::Policy> read_policy(std::string_view hub, std::string_view name, const state::Actor& actor);
  /// Errors: 409001 exists, 400004 (name, rights 0), 403002.
  HubResult<state::Policy> create_policy(std::string_view hub, std::string_view name, std::uint32_t rights,
                                         const state::Actor& actor);
  HubResult<state::Policy> rotate_policy(std::string_view hub, std::string_view name, bool primary,
                                         const state::Actor& actor);
  HubResult<> remove_policy(std::string_view hub, std::string_view name, const state::Actor& actor);

  HubResult<std::vector<AuthorityView>> authorities(std::string_view hub) const;
  /// PEM or DER of a CA. `verified`: the operator vouches for it without proof. Errors: 409001, 400004, 403002.
  HubResult<AuthorityView> add_authority(std::string_view hub, std::string_view name, std::string_view certificate,
                                         bool verified, const state::Actor& actor);
  /// A new code for the proof; an unproven CA only. Errors: 404001.
  HubResult<AuthorityView> request_code(std::string_view hub, std::string_view name, const state::Actor& actor);
  /// `proof`: a certificate whose common name is the code, signed with the CA's key. Errors: 404001, 400004.
  HubResult<AuthorityView> verify_authority(std::string_view hub, std::string_view name, std::string_view proof,
                                            const state::Actor& actor);
  HubResult<> remove_authority(std::string_view hub, std::string_view name, const state::Actor& actor);

  /// It proves nothing from now on, nor does what it has signed; connections that it opened end. Errors: 404001, 409001,
  /// 400004, 403002.
  HubResult<RevokedCertificate> revoke_certificate(std::string_view hub, const RevocationSpec& spec,
                                                   const state::Actor& actor);
  /// Takes it back. Errors: 404001.
  HubResult<> restore_certificate(std::string_view hub, std::string_view thumbprint, const state::Actor& actor);

  /// Proven CAs of all hubs, each once: net::TlsOptions::client_ca_pem.
  [[nodiscard]] std::string authorities_pem() const;

 private:
  struct Work;
  template <class T>
  HubResult<T> change(std::string_view hub, const state::Actor& actor, const std::function<HubResult<T>(Work&)>& body);
  HubResult<HubSettings> read(const state::Hub& hub) const;
  HubResult<> refresh(std::string_view hub);
  HubResult<> insert(Work& work, const HubSpec& spec);
  /// Records that a certificate could not be added, verified or removed, and passes the error on.
  std::unexpected<HubError> certificate_failed(std::string_view kind, std::string_view hub, std::string_view name,
                                               std::string_view thumbprint, const state::Actor& actor, HubError error);
  void tell_authorities() const;
  void tell_rights(std::string_view hub) const;

  state::Database& database_;
  HubSettingsStore& settings_;
  const Clock& clock_;
  std::string installation_id_;
  std::function<void()> authorities_changed_;
  std::function<void(std::string_view)> rights_changed_;
  std::mutex refresh_mutex_;  ///< Snapshots are stored in the order in which they were read.
};

}  // namespace picket::hub
