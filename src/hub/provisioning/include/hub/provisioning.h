// Device provisioning (DPS): enrollments, attestation, allocation, registration states (spec/hub.md 1.7).
//
// A device:  authenticate() once (MQTT: at CONNECT, HTTPS: each request), then register_device(), then
//            operation_status() until it is assigned. Heads only carry bodies.
// A service: service() takes method, path and body of the service API and answers as its SDK expects.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/time.h"
#include "hub/hub_error.h"
#include "state/devices.h"

namespace picket::hub {

inline constexpr std::size_t kRegistrationIdBytesMax = 128;
inline constexpr std::size_t kProvisioningBodyBytesMax = 64 * 1024;
inline constexpr int kProvisioningRetrySeconds = 1;  ///< retry-after of a 202.

/// The certificate of a TLS client whose handshake has ended: so the client has proven its key.
struct ClientCertificateChain {
  Buffer leaf_der;
  std::vector<Buffer> chain_der;  ///< What the client sent beside it, in any order; at most 8 are looked at.
};

/// What a client says and shows. Bodies and tokens are hostile.
struct ProvisioningClaim {
  std::string scope;            ///< "0ne…"
  std::string registration_id;  ///< Percent-decoded.
  std::string token;            ///< "SharedAccessSignature sr=…"; empty: none.
  std::optional<ClientCertificateChain> certificate;
  std::string source;  ///< Address, for the audit record.
};

/// MQTT: "{scope}/registrations/{id}/api-version=…&ClientVersion=…"; the client id must be the registration id.
/// Error: 401003.
HubResult<ProvisioningClaim> parse_provisioning_user_name(std::string_view client_id, std::string_view user_name);
/// HTTPS: "/{scope}/registrations/{id}/register" or ".../operations/{op}" (percent-encoded, without query).
struct ProvisioningPath {
  std::string scope;
  std::string registration_id;
  std::string operation_id;  ///< Empty: register.
};
std::optional<ProvisioningPath> parse_provisioning_path(std::string_view path);

/// A client that has proven its registration id. Made by authenticate() only.
struct ProvisioningGrant {
  std::string registration_id;
  std::string enrollment;  ///< Name of the enrollment or group.
  bool group = false;
  std::string method;       ///< "symmetricKey" or "x509".
  std::string primary_key;  ///< symmetricKey: the device's own keys in base64.
  std::string secondary_key;
  std::string thumbprint;  ///< x509: SHA-256 of the leaf, lower-case hex.
  std::string source;
};

/// What a head sends back. `body` is JSON in every case, also for errors: {"errorCode","trackingId","message",…}.
struct ProvisioningReply {
  int status = 500;             ///< HTTP status and the number in the topic $dps/registrations/res/{status}/…
  int retry_after_seconds = 0;  ///< 0: none. MQTT: &retry-after=; HTTPS: header retry-after.
  std::string body;
};
/// The reply for an error of authenticate().
ProvisioningReply to_reply(const HubError& error);

/// A request of the service API.
struct ProvisioningServiceCall {
  std::string method;    ///< GET PUT POST DELETE
  std::string path;      ///< Without query, percent-encoded as received: "/enrollments/{id}", "/enrollments/query", …
  std::string body;      ///< At most kProvisioningBodyBytesMax x 16 for bulk.
  std::string if_match;  ///< Header If-Match as received; empty: none.
  std::size_t item_count_max = 0;  ///< Header x-ms-max-item-count; 0: none.
  std::string continuation;        ///< Header x-ms-continuation.
};
struct ProvisioningServiceReply {
  int status = 500;
  std::string body;          ///< JSON or empty.
  std::string continuation;  ///< Header x-ms-continuation; empty: none.
  std::string item_type;  ///< Header x-ms-item-type of a query: "enrollment", "enrollmentGroup", "deviceRegistration".
};
/// True for paths of the service API ("/enrollments", "/enrollmentGroups", "/registrations" and below).
bool is_provisioning_service_path(std::string_view path);

/// What DPS wants of the registry; one transaction each.
struct DeviceOrder {
  std::string hub;
  std::string device_id;
  std::string primary_key;  ///< Base64; both empty: X.509.
  std::string secondary_key;
  std::string primary_thumbprint;  ///< Self-signed by thumbprint, SHA-256 in lower-case hex.
  std::string secondary_thumbprint;
  bool edge = false;
  std::string tags_json;         ///< Of the twin of a device that is new here; empty: none. An object.
  std::string desired_json;      ///< The same for desired properties.
  std::string migrate_from_hub;  ///< Not empty: a device that is new here takes its twin from there instead.
  /// Make or update the module state::kSecurityModule with the device's own credentials: an agent that knows how to
  /// register knows how to connect it.
  bool security_module = true;
};

/// Implemented by whoever wires the hub together, over hub::Registry and the twins. Any thread.
class ProvisioningRegistry {
 public:
  virtual ~ProvisioningRegistry() = default;
  /// Makes the device, or gives an existing one these credentials. `done`: true when it was new.
  virtual void provide(DeviceOrder order, const state::Actor& actor, Done<bool> done) = 0;
  /// Removes a device that has moved to another hub. Absent: no error.
  virtual void withdraw(std::string_view hub, std::string_view device_id, const state::Actor& actor, Done<> done) = 0;
  /// Hubs that devices may be assigned to; at least one. Quick: asked at each registration.
  [[nodiscard]] virtual std::vector<std::string> hubs() const = 0;
  /// The name clients use for a hub ("assignedHub"; may carry a port), and back.
  [[nodiscard]] virtual std::string host_of(std::string_view hub) const = 0;
  [[nodiscard]] virtual std::optional<std::string> hub_of(std::string_view host) const = 0;
  /// PEM of a CA of the registry whose possession was proven, for enrollment groups that name it. nullopt: none.
  [[nodiscard]] virtual std::optional<std::string> verified_ca(std::string_view name) const {
    (void)name;
    return std::nullopt;
  }
};

/// Any thread. Enrollments and registration states are durable.
class Provisioning {
 public:
  virtual ~Provisioning() = default;
  [[nodiscard]] virtual const std::string& scope() const = 0;

  /// Errors: 401003 (wrong scope, no such enrollment, bad proof, not enabled: the same words for all, so that nobody
  /// can ask who is enrolled; the log has the reason). Quick: one indexed read and a few hashes; X.509 some
  /// milliseconds.
  [[nodiscard]] virtual HubResult<ProvisioningGrant> authenticate(const ProvisioningClaim& claim) const = 0;
  /// `body`: {"registrationId":"r","payload":{..}?}. 202 with {"operationId","status":"assigning"}.
  virtual void register_device(const ProvisioningGrant& grant, std::string body,
                               std::move_only_function<void(ProvisioningReply)> done) = 0;
  /// 200 with {"operationId","status","registrationState"}; 202 while assigning; 404 for an operation of somebody else.
  virtual void operation_status(const ProvisioningGrant& grant, std::string_view operation_id,
                                std::move_only_function<void(ProvisioningReply)> done) = 0;
  /// The caller has checked the rights of `actor`.
  virtual void service(ProvisioningServiceCall call, const state::Actor& actor,
                       std::move_only_function<void(ProvisioningServiceReply)> done) = 0;
};

}  // namespace picket::hub
