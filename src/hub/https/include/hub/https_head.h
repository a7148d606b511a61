// The hub's HTTPS side: device calls, file uploads, device provisioning, the service REST API, and WebSockets that MQTT
// and AMQP run over (spec/hub.md 1.2, 1.4, 1.7; docs/hub.md "HTTPS").
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "http/connection.h"
#include "http/websocket_stream.h"
#include "hub/authentication.h"
#include "hub/identity_store.h"
#include "hub/operations_log.h"
#include "journal/journal.h"
#include "net/io_threads.h"
#include "net/listener.h"
#include "net/tls_context.h"

namespace picket::hub {

class Commands;
class Configurations;
class Directory;
class Files;
class HubSettingsStore;
class Jobs;
class Methods;
class OperationCounters;
class Provisioning;
class QueryService;
class Registry;
class Throttle;
class Twins;

struct HttpsHeadOptions {
  HubNames hubs;  ///< Which hub a host name means, when `HttpsHeadNeeds::settings` does not know it.
  net::ListenerOptions listener{.port = 443};  ///< Fixed in the SDKs (decision 9).
  http::Limits limits{};
  std::string registry_directory;  ///< Of import and export jobs, DIR/registry; nobody else writes there. Empty: none.
  std::size_t workers = 2;         ///< Threads that read files.
  std::size_t waiting_max = 256;
  Duration storage_patience =
      Duration::seconds(10);  ///< How long a message waits for the journal to take it; then 503.
};

/// Everything outlives the head. What is nullptr is not offered: 501, or 404 where that is not told apart.
struct HttpsHeadNeeds {
  net::IoThreads& threads;
  const net::TlsContext& tls;  ///< With request_client_certificate where X.509 devices come.
  const IdentityStore& identities;
  journal::Journal& journal;
  OperationsLog& log;
  const Clock& clock;
  Directory* directory = nullptr;
  OperationCounters* counters = nullptr;
  Throttle* throttle = nullptr;                ///< Rates of hubs and identities; nullptr: none.
  const HubSettingsStore* settings = nullptr;  ///< Shared access policies, IP filter. nullptr: no service calls.
  Registry* registry = nullptr;
  Twins* twins = nullptr;
  Methods* methods = nullptr;
  Commands* commands = nullptr;
  Files* files = nullptr;
  Provisioning* provisioning = nullptr;
  QueryService* queries = nullptr;
  Jobs* jobs = nullptr;
  Configurations* configurations = nullptr;
  std::function<std::uint64_t(std::string_view hub)> connected_devices{};  ///< For /statistics/service; any thread.
  /// What is spoken over `/$iothub/websocket`: {"mqtt", MqttHead::serve}, {"AMQPWSB10", AmqpHead::serve}.
  std::vector<http::WebSocketProtocol> websocket{};
};

struct HttpsHeadStats {
  std::uint64_t requests = 0;
  std::uint64_t responses_2xx = 0;
  std::uint64_t responses_4xx = 0;
  std::uint64_t responses_5xx = 0;
  std::uint64_t malformed = 0;  ///< Of responses_4xx: not HTTP, or too large.
  std::uint64_t timeouts = 0;
  std::uint64_t messages_received = 0;
  std::uint64_t messages_stored = 0;
  std::uint64_t reserved_properties = 0;  ///< Properties of devices that imitate the hub's stamps; dropped.
  std::uint64_t storage_waits = 0;        ///< Messages that found the journal full and waited.
  std::uint64_t unauthorized = 0;         ///< Device and service calls with credentials that prove nothing.
  std::uint64_t throttled = 0;            ///< Calls answered 429, or 403 when the day's messages are used up.
  std::uint64_t websockets = 0;           ///< Upgraded connections.
  net::ListenerStats listener;
};

class HttpsHead {
 public:
  /// Listens at once. Errors: io (port taken), malformed (address).
  static Result<std::unique_ptr<HttpsHead>> open(HttpsHeadNeeds needs, HttpsHeadOptions options);
  /// stop()s.
  ~HttpsHead();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] HttpsHeadStats stats() const;
  /// Closes everything and waits; before the heads that speak over WebSocket. Not from an I/O thread.
  void stop();

 private:
  struct Parts;
  explicit HttpsHead(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace picket::hub
