// What the hub reports about connections: the stream that hub detections read.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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
};
std::string_view to_string(HubEventKind kind);

/// One event. No secrets, no payloads.
struct HubEvent {
  Timestamp time;
  HubEventKind kind{};
  Identity identity;  ///< Proven when `authenticated`, else only claimed; the hub is always set.
  bool authenticated = false;
  std::string source_address;
  std::uint16_t source_port = 0;
  std::string_view protocol = "mqtt";  ///< Static storage.
  std::string tls_version;
  std::string tls_cipher;
  std::string server_name;
  std::string sdk;
  std::string_view key_slot;  ///< "primary" or "secondary"; static storage.
  std::optional<Timestamp> token_expiry;
  std::string policy_name;
  int code = 0;                ///< IoT Hub's six-digit code; 0: none.
  std::string reason;          ///< The check that failed, why the connection ended, the rule that was broken.
  std::string object;          ///< E.g. the topic, cut to kObjectBytesMax.
  std::uint64_t messages = 0;  ///< disconnect: telemetry messages of the connection.
  static constexpr std::size_t kObjectBytesMax = 512;
};

/// The event as one JSON object, version 1 (src/hub/README.md).
std::string to_json(const HubEvent& event, std::uint64_t dropped_before);

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
};

}  // namespace picket::hub
