#include "api/server.h"

#include <thread>

#include "base/server/log.h"
#include "connection.h"
#include "facts.h"
#include "net/listener.h"
#include "overview.h"
#include "query_heads.h"
#include "router.h"
#include "service_model.h"
#include "static_files.h"

namespace picket::api {
namespace {

constexpr Duration kTick = Duration::milliseconds(250);

Result<StaticFiles> open_portal(const std::string& directory) {
  if (directory.empty()) return StaticFiles();
  return StaticFiles::open(directory);
}

}  // namespace

struct Server::Core {
  Core(ServerOptions options_in, Services services_in, Live& live_in, StaticFiles files_in)
      : options(std::move(options_in)),
        services(std::move(services_in)),
        live(live_in),
        files(std::move(files_in)),
        authenticator(services.users, services.clock, options.scrypt),
        facts(services, stop_source.get_token()),
        workers(options.workers, options.waiting_max),
        query_workers(options.query_workers, options.waiting_max, true),
        running(services.clock, {options.user_queries_running, options.user_queries_max}),
        parts{.services = services,
              .authenticator = authenticator,
              .live = live,
              .facts = facts,
              .running = running,
              .scrypt = options.scrypt,
              .started_at = services.clock.now(),
              .stopping = stop_source.get_token(),
              .own_counters = [this] { return counters(); }},
        http_settings{.options = options,
                      .workers = workers,
                      .query_workers = query_workers,
                      .live = live,
                      .counters = http_counters,
                      .answer = [this](const Request& request) { return answer(request); }},
        connections(connection_settings(http_settings)) {}

  Response answer(const Request& request);
  Response metrics(const Request& request);
  [[nodiscard]] CounterGroup counters() const;
  void tick_loop(const std::stop_token& stopping);
  void publish_devices();
  void publish_stats();

  ServerOptions options;
  Services services;
  Live& live;
  StaticFiles files;
  std::stop_source stop_source;
  Authenticator authenticator;
  Facts facts;
  http::Counters http_counters;
  http::Workers workers;
  http::Workers query_workers;
  RunningQueries running;
  Parts parts;
  HttpSettings http_settings;
  http::Settings connections;
  std::unique_ptr<net::Listener> listener;
  std::jthread ticker;  ///< Makes what live readers get in intervals.
};

Response Server::Core::metrics(const Request& request) {
  const auto caller = authenticator.identify(request);
  if (!caller) return Response::error(caller.error());
  if (!*caller) return Response::error({.code = "not_signed_in"});
  return {.headers = {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}, {"Cache-Control", "no-store"}},
          .body = metrics_text(parts)};
}

// Exceptions of libraries, such as no memory for a huge answer, end here.
Response Server::Core::answer(const Request& request) {
  try {
    const std::string_view path = request.path;
    if (path == kApiPrefix || path.starts_with(std::string(kApiPrefix) + "/")) return dispatch(parts, request);
    if (path == "/api" || path.starts_with("/api/")) return Response::error({.code = "not_found"});
    if (path == "/metrics") return metrics(request);
    if (auto head = answer_query_head(parts, request)) return *std::move(head);
    if (auto head = answer_service_model(parts, request)) return *std::move(head);
    return files.serve(request);
  } catch (const std::exception& exception) {
    log::error("api", "{} {}: {}", request.method, request.path, exception.what());
    return Response::error({.code = "internal"});
  }
}

CounterGroup Server::Core::counters() const {
  const auto number = [](const auto& value) { return static_cast<double>(value); };
  CounterGroup out{.part = "api"};
  const auto add = [&out](std::string name, double value) { out.counters.emplace_back(std::move(name), value); };
  add("requests", number(http_counters.requests.load()));
  add("responses_2xx", number(http_counters.responses_2xx.load()));
  add("responses_4xx", number(http_counters.responses_4xx.load()));
  add("responses_5xx", number(http_counters.responses_5xx.load()));
  add("malformed_requests", number(http_counters.malformed.load()));
  add("timeouts", number(http_counters.timeouts.load()));
  add("workers_refused", number(workers.refused() + query_workers.refused()));
  add("queries_throttled", number(running.refused()));
  add("queries_cancelled", number(running.cancelled()));
  add("live_readers", number(live.readers()));
  add("live_published", number(live.published()));
  add("live_readers_refused", number(live.readers_refused()));
  add("live_readers_behind", number(live.readers_behind()));
  add("live_devices_skipped", number(live.devices_skipped()));
  if (listener) {
    const net::ListenerStats stats = listener->stats();
    add("connections", number(stats.open));
    add("connections_unauthenticated", number(stats.unauthenticated));
    add("connections_accepted", number(stats.accepted));
    add("connections_refused", number(stats.rejected_connections_max + stats.rejected_rate));
    add("connections_evicted", number(stats.evicted_unauthenticated));
    add("handshakes_failed", number(stats.handshakes_failed));
  }
  return out;
}

void Server::Core::publish_devices() {
  for (const std::string& device_id : live.take_changed_devices()) {
    const auto view = facts.device(device_id);
    if (!view) continue;  // gone since; its removal was told
    JsonWriter out;
    out.begin_object();
    write_summary(out, *view, services.clock.now());
    live.device(out.end_object().take());
  }
}

void Server::Core::publish_stats() {
  const auto json = live_stats_json(parts);
  if (json)
    live.stats(*json);
  else
    log::warning("api", "no live statistics: {}", describe(json.error()));
}

void Server::Core::tick_loop(const std::stop_token& stopping) {
  Duration next_stats = services.clock.monotonic();
  Duration next_devices = next_stats;
  while (!stopping.stop_requested()) {
    std::this_thread::sleep_for(std::chrono::microseconds(kTick.us));
    const Duration now = services.clock.monotonic();
    try {
      if (now >= next_devices) {
        publish_devices();
        next_devices = now + options.device_interval;
      }
      if (now >= next_stats && live.readers() > 0) {
        publish_stats();
        next_stats = now + options.stats_interval;
      }
    } catch (const std::exception& exception) {
      log::error("api", "live updates: {}", exception.what());
    }
  }
}

Server::Server(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(net::IoThreads& threads, const net::TlsContext* tls,
                                              ServerOptions options, Services services, Live& live) {
  TRY(auto files, open_portal(options.portal_directory));
  auto core = std::make_unique<Core>(std::move(options), std::move(services), live, std::move(files));
  net::ListenerOptions listen{.address = core->options.address,
                              .port = core->options.port,
                              .connections_max = core->options.connections_max,
                              .unauthenticated_max = core->options.connections_max};
  listen.first_bytes_timeout = core->options.idle_timeout;
  Core* const raw = core.get();
  net::Handler handler = [raw](net::Connection connection) {
    return http::serve(raw->connections, std::move(connection));
  };
  TRY(core->listener, net::Listener::open(threads, listen, tls, std::move(handler)));
  core->ticker = std::jthread([raw](const std::stop_token& stopping) { raw->tick_loop(stopping); });
  return std::unique_ptr<Server>(new Server(std::move(core)));
}

std::uint16_t Server::port() const { return core_->listener->port(); }

CounterGroup Server::counters() const { return core_->counters(); }

void Server::stop() {
  if (!core_ || !core_->listener) return;
  core_->stop_source.request_stop();
  core_->live.close();
  core_->ticker.request_stop();
  if (core_->ticker.joinable()) core_->ticker.join();
  core_->listener->stop();
  core_->workers.stop();
  core_->query_workers.stop();
  core_->listener.reset();
}

}  // namespace picket::api
