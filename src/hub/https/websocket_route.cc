#include "reply.h"
#include "routes.h"

namespace picket::hub {

boost::asio::awaitable<http::Response> open_websocket(Call& call) {
  http::Response response = http::upgrade(*call.request, call.context.needs.websocket);
  if (response.takeover) ++call.context.counters.websockets;
  co_return response;
}

}  // namespace picket::hub
