// The hub's AMQP 1.0 side: devices and service clients on port 5671, and over WebSockets that the HTTPS head hands
// over. spec/hub.md 1.3; docs/hub.md, AMQP.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "base/core/result.h"
#include "base/core/time.h"
#include "hub/authentication.h"
#include "hub/directory.h"
#include "hub/disconnect_reason.h"
#include "hub/hub_settings.h"
#include "hub/identity_store.h"
#include "hub/operation_counters.h"
#include "hub/operations_log.h"
#include "hub/presence.h"
#include "journal/journal.h"
#include "net/io_threads.h"
#include "net/listener.h"
#include "net/tls_context.h"

namespace picket::hub {

class Commands;
class Methods;
class Twins;
class Files;
class EventStream;
class Throttle;

struct AmqpHeadOptions {
  HubNames hubs;
  net::ListenerOptions listener{.port = 5671};
  std::uint16_t public_port = 0;                         ///< That clients reach this head at; 0: the one it listens on.
  Duration storage_patience = Duration::seconds(60);     ///< How long a message waits for the journal to take it.
  Duration unauthenticated_max = Duration::seconds(10);  ///< From the first byte to the first proven credential.
  Duration slow_reader_max = Duration::seconds(30);      ///< How long one write may take.
  Duration close_max = Duration::seconds(5);             ///< How long a client may take to answer our close.
};

/// Everything outlives the head. What is nullptr is not offered: its links are refused with amqp:not-implemented.
struct AmqpHeadNeeds {
  net::IoThreads& threads;
  const net::TlsContext& tls;
  const IdentityStore& identities;
  journal::Journal& journal;
  OperationsLog& log;
  const Clock& clock;
  Directory& directory;
  const HubSettingsStore* settings = nullptr;  ///< nullptr: default settings, and no policies.
  Presence* presence = nullptr;
  Throttle* throttle = nullptr;  ///< nullptr: nobody is slowed.
  OperationCounters* counters = nullptr;
  Commands* commands = nullptr;
  Methods* methods = nullptr;
  Twins* twins = nullptr;
  Files* files = nullptr;
  EventStream* events = nullptr;
};

struct AmqpHeadStats {
  std::uint64_t connections = 0;  ///< Now.
  std::uint64_t connects = 0;     ///< Identities that got their place.
  std::uint64_t connected = 0;    ///< Now.
  std::uint64_t messages_stored = 0;
  std::uint64_t auth_failed = 0;
  std::uint64_t slow_readers = 0;
  std::uint64_t throttled = 0;                                  ///< Times that a rate delayed or refused something.
  std::array<std::uint64_t, kDisconnectReasons> disconnects{};  ///< Of identities, by DisconnectReason.
  net::ListenerStats listener;
};

class AmqpHead {
 public:
  /// Listens at once. Errors: io (port taken), malformed (address).
  static Result<std::unique_ptr<AmqpHead>> open(AmqpHeadNeeds needs, AmqpHeadOptions options);
  /// stop()s.
  ~AmqpHead();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] AmqpHeadStats stats() const;
  /// Runs one connection to its end, on its thread: for another listener that has found AMQP in its stream, such as a
  /// WebSocket. That listener is stopped before the head is. `transport`: "tls" or "websocket"; static storage.
  boost::asio::awaitable<void> serve(net::Connection connection, std::string_view transport = "websocket");
  /// Closes everything and waits. What was appended stays appended. Not from an I/O thread.
  void stop();

 private:
  struct Parts;
  explicit AmqpHead(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace picket::hub
