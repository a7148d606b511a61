// One HTTP connection from its first byte to its end.
#pragma once

#include <atomic>
#include <functional>

#include <boost/asio/awaitable.hpp>

#include "api/live.h"
#include "api/server.h"
#include "http.h"
#include "net/listener.h"
#include "workers.h"

namespace picket::api {

struct HttpCounters {
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> responses_2xx{0};
  std::atomic<std::uint64_t> responses_4xx{0};
  std::atomic<std::uint64_t> responses_5xx{0};
  std::atomic<std::uint64_t> malformed{0};  ///< Of responses_4xx: requests that were not HTTP, or too large.
  std::atomic<std::uint64_t> timeouts{0};   ///< Connections that were ended by one of the time limits.
};

/// Fixed while the server runs.
struct HttpSettings {
  const ServerOptions& options;
  Workers& workers;
  Workers& query_workers;
  Live& live;
  HttpCounters& counters;
  std::function<Response(const Request&)> answer;  ///< Called on a worker.
};

/// Reads requests, has them answered, writes responses, until the peer or a time limit ends it.
net::asio::awaitable<void> serve_http(const HttpSettings& settings, net::Connection connection);

}  // namespace picket::api
