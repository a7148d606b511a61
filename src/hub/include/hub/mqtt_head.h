// The hub's MQTT side: devices on port 8883, telemetry into the journal.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/core/identity.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "hub/authentication.h"
#include "hub/disconnect_reason.h"
#include "hub/identity_store.h"
#include "hub/operations_log.h"
#include "journal/journal.h"
#include "net/io_threads.h"
#include "net/listener.h"
#include "net/tls_context.h"

namespace picket::hub {

/// IoT Hub's limit of a device-to-cloud message: body, values of system properties, names and values of the others.
inline constexpr std::size_t kMessageBytesMax = 256 * 1024;
/// How long a connection may outlive its token: SDKs renew late.
inline constexpr Duration kTokenGrace = Duration::minutes(10);

/// Told on I/O threads, in order for one identity's connections; must be quick.
class Presence {
 public:
  virtual ~Presence() = default;
  virtual void connected(const Identity& identity, Timestamp time) = 0;
  virtual void disconnected(const Identity& identity, Timestamp time, DisconnectReason reason) = 0;
};

struct MqttHeadOptions {
  HubNames hubs;
  net::ListenerOptions listener{.port = 8883};
  double connects_per_second = 1000;  ///< Of all clients together; above it CONNACK 3, which SDKs retry.
  double connects_burst = 20'000;
  std::size_t in_flight_bytes_max =
      1 << 20;  ///< Of one connection, appended and not durable; above it the hub reads no more.
  std::size_t output_bytes_max = 1 << 20;             ///< Of one connection, written by us and not taken by the client.
  Duration storage_patience = Duration::seconds(60);  ///< How long a message waits for the journal to take it.
  Duration tick = Duration::milliseconds(250);        ///< How often deadlines are looked at.
};

/// Everything outlives the head, apart from `presence`, which may be nullptr.
struct MqttHeadNeeds {
  net::IoThreads& threads;
  const net::TlsContext& tls;
  const IdentityStore& identities;
  journal::Journal& journal;
  OperationsLog& log;
  const Clock& clock;
  Presence* presence = nullptr;
};

struct MqttHeadStats {
  std::uint64_t connects = 0;
  std::uint64_t connected = 0;  ///< Now.
  std::uint64_t messages_received = 0;
  std::uint64_t messages_stored = 0;
  std::uint64_t message_bytes_received = 0;  ///< Bodies.
  std::uint64_t refused_overload = 0;        ///< CONNACK 3.
  std::uint64_t refused_protocol = 0;        ///< Ended before a whole CONNECT that was right.
  std::uint64_t subscribes_denied = 0;
  std::uint64_t reserved_properties = 0;    ///< Properties of devices that imitate the hub's stamps; dropped.
  std::uint64_t not_offered = 0;            ///< Twin and method requests, which this hub does not serve yet.
  std::uint64_t storage_waits = 0;          ///< Messages that found the journal full and waited.
  std::array<std::uint64_t, 12> refused{};  ///< By AuthCheck.
  std::array<std::uint64_t, kDisconnectReasons> disconnects{};  ///< By DisconnectReason.
  net::ListenerStats listener;
};

class MqttHead {
 public:
  /// Listens at once. Errors: io (port taken), malformed (address).
  static Result<std::unique_ptr<MqttHead>> open(MqttHeadNeeds needs, MqttHeadOptions options);
  /// stop()s.
  ~MqttHead();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] MqttHeadStats stats() const;
  /// Ends the live connection of a device and of its modules, or of one module: after disabling, deleting, a new key.
  /// Takes effect soon after; any thread.
  void close_identity(std::string_view hub, std::string_view device_id, std::string_view module_id);
  /// Closes everything and waits. What was appended stays appended. Not from an I/O thread.
  void stop();

 private:
  struct Parts;
  explicit MqttHead(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace picket::hub
