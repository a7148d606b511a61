// How the API sits on HTTP connections: requests are answered on workers, live updates by the connection itself.
#pragma once

#include <functional>

#include "api/live.h"
#include "api/server.h"
#include "http.h"
#include "http/connection.h"
#include "http/workers.h"

namespace picket::api {

/// Fixed while the server runs.
struct HttpSettings {
  const ServerOptions& options;
  http::Workers& workers;
  http::Workers& query_workers;
  Live& live;
  http::Counters& counters;
  std::function<Response(const Request&)> answer;  ///< Called on a worker.
};

/// `settings` outlives what is made of it.
http::Settings connection_settings(const HttpSettings& settings);

}  // namespace picket::api
