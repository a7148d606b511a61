// The hub's MQTT side: devices on port 8883 and over WebSocket; telemetry into the journal, twins, methods and commands
// through the hub's services (spec/hub.md 1.1, docs/hub.md "MQTT").
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "base/core/identity.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "hub/authentication.h"
#include "hub/commands.h"
#include "hub/device_twins.h"
#include "hub/directory.h"
#include "hub/identity_store.h"
#include "hub/methods.h"
#include "hub/operation_counters.h"
#include "hub/operations_log.h"
#include "hub/presence.h"
#include "hub/sessions.h"
#include "hub/telemetry.h"
#include "hub/throttle.h"
#include "journal/journal.h"
#include "net/io_threads.h"
#include "net/listener.h"
#include "net/tls_context.h"

namespace picket::hub {

class Provisioning;

struct MqttHeadOptions {
  HubNames hubs;
  net::ListenerOptions listener{.port = 8883};
  std::size_t in_flight_bytes_max =
      1 << 20;  ///< Of one connection, appended and not durable; above it the hub reads no more.
  std::size_t output_bytes_max = 1 << 20;             ///< Of one connection, written by us and not taken by the client.
  Duration storage_patience = Duration::seconds(60);  ///< How long a message waits for the journal to take it.
  /// How long an answer of DPS is held back. The Java SDK begins to listen when its publish has returned, and never
  /// hears what came before: then it fails after 10 s. Other clouds are never that near.
  Duration provisioning_pause = Duration::milliseconds(200);
};

/// Everything outlives the head. What is nullptr is not offered: requests are answered with 501, sessions are
/// forgotten.
struct MqttHeadNeeds {
  net::IoThreads& threads;
  const net::TlsContext& tls;
  const IdentityStore& identities;
  journal::Journal& journal;
  OperationsLog& log;
  const Clock& clock;
  Directory& directory;
  const HubSettingsStore* settings = nullptr;
  Presence* presence = nullptr;
  Sessions* sessions = nullptr;
  DeviceTwins* twins = nullptr;
  Methods* methods = nullptr;
  Commands* commands = nullptr;
  Throttle* throttle = nullptr;
  OperationCounters* counters = nullptr;
  Provisioning* provisioning = nullptr;  ///< DPS on the same port, told apart by the user name.
};

struct MqttHeadStats {
  std::uint64_t connects = 0;
  std::uint64_t connected = 0;  ///< Now.
  std::uint64_t messages_received = 0;
  std::uint64_t messages_stored = 0;
  std::uint64_t message_bytes_received = 0;  ///< Bodies.
  std::uint64_t refused_overload = 0;        ///< CONNACK 3.
  std::uint64_t refused_protocol = 0;        ///< Ended before a whole CONNECT that was right.
  std::uint64_t refused_provisioning = 0;    ///< CONNECTs of DPS that proved nothing.
  std::uint64_t subscribes_denied = 0;
  std::uint64_t sessions_resumed = 0;     ///< CONNECTs that found their subscriptions.
  std::uint64_t reserved_properties = 0;  ///< Properties of devices that imitate the hub's stamps; dropped.
  std::uint64_t not_offered = 0;          ///< Requests of services that this hub does not have.
  std::uint64_t unanswered = 0;           ///< Requests without `$rid`, or of a client that does not listen to answers.
  std::uint64_t twin_requests = 0;
  std::uint64_t method_calls = 0;  ///< Handed to devices.
  std::uint64_t method_answers = 0;
  std::uint64_t commands_sent = 0;  ///< Each delivery counts.
  std::uint64_t commands_completed = 0;
  std::uint64_t stray_acknowledgements = 0;  ///< PUBACKs of nothing that was sent.
  std::uint64_t throttled = 0;               ///< Batches, connects and twin requests that were delayed or refused.
  std::uint64_t storage_waits = 0;           ///< Batches of messages that found the journal full and waited.
  std::array<std::uint64_t, kAuthChecks> refused{};             ///< By AuthCheck.
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
  /// Runs one connection to its end, on its thread: for another listener that has found MQTT in its stream, such as a
  /// WebSocket. That listener is stopped before the head is.
  boost::asio::awaitable<void> serve(net::Connection connection);
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
