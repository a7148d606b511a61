// Handlers by area; the table that names them is in routes.cc.
#pragma once

#include "call.h"

namespace picket::hub {

// telemetry_routes.cc
boost::asio::awaitable<http::Response> send_message(Call& call);
// websocket_route.cc
boost::asio::awaitable<http::Response> open_websocket(Call& call);

}  // namespace picket::hub
