// The portal's listener: REST API, live updates, metrics, and the portal's files, over HTTP/1.1.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "api/live.h"
#include "api/secrets.h"
#include "api/services.h"
#include "base/core/result.h"
#include "net/io_threads.h"
#include "net/tls_context.h"

namespace picket::api {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;        ///< 0: any free one, see port().
  std::string portal_directory;  ///< Files of the built portal; empty: the API only.
  /// More than net::ListenerOptions::unauthenticated_max, so that strangers cannot take the place of signed-in users.
  std::size_t connections_max = 2048;
  std::size_t workers = 4;        ///< Threads for what may block: state, scrypt, small queries of our own.
  std::size_t query_workers = 10;  ///< For queries and calls of devices: slow ones must not hold up anything else.
  std::size_t user_queries_max = 6;      ///< Of one user, running and waiting; fewer than query_workers.
  std::size_t user_queries_running = 3;  ///< Of these.
  std::size_t waiting_max = 256;  ///< Requests that wait for a worker of either kind; more are answered 503.
  std::size_t header_bytes_max = 16U << 10;
  std::size_t body_bytes_max = 1U << 20;
  std::size_t table_bytes_max = 8U << 20;  ///< Of PUT /intelligence/{table}.
  Duration idle_timeout = Duration::seconds(60);    ///< Between requests.
  Duration header_timeout = Duration::seconds(10);  ///< From the first byte to the end of the header.
  Duration body_timeout = Duration::seconds(30);    ///< From there to the end of the body.
  Duration write_timeout = Duration::seconds(30);   ///< Of one response, or one batch of live updates.
  Duration live_heartbeat = Duration::seconds(15);
  Duration stats_interval = Duration::seconds(5);
  Duration device_interval = Duration::seconds(1);
  ScryptCost scrypt;
};

/// Runs from start() to stop(). Requests are read and answered on the I/O threads, handled on own workers.
class Server {
 public:
  /// `tls` nullptr: plain HTTP, for tests. Errors: as net::Listener::open; io when the portal's folder cannot be read.
  static Result<std::unique_ptr<Server>> start(net::IoThreads& threads, const net::TlsContext* tls,
                                               ServerOptions options, Services services, Live& live);
  ~Server();

  [[nodiscard]] std::uint16_t port() const;
  /// Requests by outcome, connections, live readers; the part "api" of /status.
  [[nodiscard]] CounterGroup counters() const;
  /// Ends live readers and queries, closes all connections, joins the workers. Not from an I/O thread.
  void stop();

 private:
  struct Core;
  explicit Server(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

/// The AlertChange of the OpenAPI document for Live::alert. `change`: "raised", "updated" or "triaged".
/// An Incident of the OpenAPI document, without alerts and timeline.
std::string incident_json(const state::Incident& incident);
std::string alert_change_json(std::string_view change, const state::Alert& alert);

}  // namespace picket::api
