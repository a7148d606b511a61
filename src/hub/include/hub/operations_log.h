// What the hub reports about connections and operations: the stream that hub detections read.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/hash.h"
#include "base/core/identity.h"
#include "base/core/time.h"

namespace picket::journal {
class Journal;
}

namespace picket::hub {

/// Numbers are not stored; names are (`to_string`).
enum class HubEventKind : std::uint8_t {
  tls_failed,
  connect,
  disconnect,
  auth_failed,
  evicted,
  subscribe_denied,
  topic_denied,
  throttled,
  // Operations: aggregated records have `window_from`, single ones report a failure.
  d2c,
  c2d,
  twin,
  method,
  job,
  upload,
  registry,  ///< Reading the registry; changes are audit records.
  // Changes that no state transaction covers; where one does, the outbox writes an audit record instead.
  registry_change,
  policy_change,
  key_read,
  key_rotated,
  cert_change,
  filter_change,
  sink_change,
  query_run,
  clock_skew,
};
inline constexpr std::size_t kHubEventKinds = 24;
std::string_view to_string(HubEventKind kind);

/// What is counted for each identity. The names are in the records as `operation`.
enum class Operation : std::uint8_t {
  d2c_message,    ///< Telemetry taken.
  c2d_message,    ///< A command handed to the device.
  c2d_completed,  ///< The device completed it.
  c2d_rejected,   ///< The device rejected it, or the hub gave it up: expired, or delivered too often.
  c2d_abandoned,  ///< The device gave it back.
  queue_purge,    ///< The queue of commands was emptied.
  twin_read,      ///< By the device or the service.
  twin_update,    ///< Desired properties or tags, by the service.
  twin_report,    ///< Reported properties, by the device.
  method_invoke,  ///< Whatever came of it.
  job,            ///< A job, or its step on one device.
  upload_start,   ///< The device asked where to put a file.
  upload_notify,  ///< It said that the upload has ended.
  registry_read,  ///< An identity, a list of them, statistics.
  query,          ///< A twin or job query.
};
inline constexpr std::size_t kOperations = 15;
std::string_view to_string(Operation operation);
HubEventKind kind_of(Operation operation);

/// Names of HubEvent::reason that detections read. Heads may use others besides.
namespace reason {
inline constexpr std::string_view kTokenExpired = "token_expired";
inline constexpr std::string_view kTokenSignature = "token_signature";
inline constexpr std::string_view kCertificateThumbprint = "thumbprint_mismatch";  ///< Neither configured one.
inline constexpr std::string_view kCertificateExpired = "certificate_expired";
inline constexpr std::string_view kCertificateNotYetValid = "certificate_not_yet_valid";
inline constexpr std::string_view kCertificateChain = "certificate_not_trusted";  ///< Of no CA of the hub.
inline constexpr std::string_view kCertificateRevoked = "certificate_revoked";
inline constexpr std::string_view kIpFilter = "ip_filter";
inline constexpr std::string_view kTlsPolicy = "tls_policy";
}  // namespace reason

/// The certificate that a peer presented, valid or not.
struct PeerCertificate {
  std::string thumbprint;         ///< SHA-256 of the DER form, lower-case hex.
  std::string thumbprint_sha1;    ///< The same with SHA-1, as devices may be configured with.
  std::string subject;            ///< Common name.
  std::string issuer;             ///< Common name.
  std::string issuer_thumbprint;  ///< SHA-256 of the CA that signed it, when the hub knows it.
  std::string key;                ///< "rsa:2048", "ec:prime256v1", …
  std::string signature;          ///< "sha256WithRSAEncryption", …
  std::optional<Timestamp> not_before;
  std::optional<Timestamp> not_after;
};

/// One event. No secrets, no payloads. Texts of devices are cut to kTextBytesMax when written.
struct HubEvent {
  Timestamp time;
  HubEventKind kind{};
  Identity identity;  ///< Proven when `authenticated`, else only claimed; the hub is always set.
  bool authenticated = false;
  std::string source_address;  ///< Whole; masked on export only.
  std::uint16_t source_port = 0;
  std::string_view protocol = "mqtt";  ///< mqtt, amqp, https; service for the service's REST calls. Static storage.
  std::string_view transport = "tls";  ///< tls, websocket, tcp. Static storage.
  std::string tls_version;
  std::string tls_cipher;
  std::string tls_group;      ///< Key exchange, e.g. "x25519".
  std::string tls_signature;  ///< Of the handshake.
  std::string server_name;
  std::string sdk;
  std::string_view auth_type;   ///< "sas" or "x509"; empty: sas when a token is named. Static storage.
  std::string_view auth_scope;  ///< "hub", "device", "module". Static storage.
  std::string_view key_slot;    ///< "primary" or "secondary"; static storage.
  std::optional<Timestamp> token_expiry;
  std::string policy_name;  ///< `skn`.
  std::string credential;   ///< credential_fingerprint(); tells shared credentials without showing them.
  std::optional<PeerCertificate> certificate;
  /// Whether the device that the event claims to be is connected now: then a failure looks like an impersonation.
  std::optional<bool> claimed_online;
  std::string actor;          ///< Shared access policy or user of a service operation.
  int code = 0;               ///< IoT Hub's six-digit code; 0: none.
  std::string reason;         ///< The check that failed, why the connection ended, the rule that was broken.
  std::string object;         ///< E.g. the topic, cut to kObjectBytesMax.
  std::string object_before;  ///< Hash or thumbprint of what it was.
  std::string object_after;
  std::string trace_id;
  std::uint64_t messages = 0;             ///< disconnect: telemetry messages of the connection.
  std::optional<Duration> connected_for;  ///< disconnect: since it was granted.
  std::optional<Duration> duration;       ///< Of the operation.
  std::optional<Duration> skew;           ///< clock_skew: the device's clock less the hub's.
  std::optional<Operation> operation;     ///< Of kinds d2c to registry, and query_run.
  std::optional<Timestamp> window_from;   ///< Aggregated: `count` operations from here to window_to.
  std::optional<Timestamp> window_to;
  std::uint64_t count = 1;
  std::uint64_t bytes = 0;     ///< Of all of them.
  std::uint64_t size_max = 0;  ///< Of the largest.
  std::uint64_t size_p95 = 0;  ///< At most twice what 95 % of the sizes do not exceed.

  static constexpr std::size_t kObjectBytesMax = 512;
  static constexpr std::size_t kTextBytesMax = 512;
};

/// The event as one JSON object, version 2 (docs/formats/hub-event.md). `sequence` 0 is left out.
std::string to_json(const HubEvent& event, std::uint64_t dropped_before, std::uint64_t sequence = 0);

/// Name of a credential that shows nothing of it: equal credentials of one installation have equal names. `secret` is
/// the decoded key, or the thumbprint of a certificate; `key` a secret of the installation.
std::string credential_fingerprint(SipKey key, std::string_view type, Bytes secret);

/// Never blocks; any thread.
class OperationsLog {
 public:
  virtual ~OperationsLog() = default;
  virtual void record(const HubEvent& event) = 0;
};

/// Appends events to the journal as records of kind hub_event. At most kPendingMax wait for the disk; what does not fit
/// is dropped and counted, and the next event carries the count. What happens to these records causes no further ones.
class JournalOperationsLog final : public OperationsLog {
 public:
  /// `journal` outlives this object.
  explicit JournalOperationsLog(journal::Journal& journal);
  ~JournalOperationsLog() override;
  void record(const HubEvent& event) override;
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

  static constexpr std::uint64_t kPendingMax = 4096;

 private:
  struct Pending;
  std::uint64_t claim_unreported();
  void drop(std::uint64_t unreported);
  journal::Journal& journal_;
  std::shared_ptr<Pending> pending_;  ///< Shared with the callbacks that the journal still holds.
  std::atomic<std::uint64_t> dropped_ = 0;
  std::atomic<std::uint64_t> reported_ = 0;
  std::atomic<std::uint64_t> sequence_ = 0;  ///< Of this start.
};

}  // namespace picket::hub
