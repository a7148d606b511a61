#include "../overview.h"
#include "handlers.h"

namespace picket::api {

Answer get_overview(Call& call) {
  auto json = overview_json(call.parts);
  if (!json) return api_error(json.error(), "overview");
  return Response::json(*std::move(json));
}

Answer get_status(Call& call) { return Response::json(status_json(call.parts)); }

Answer stream_events(Call& call) {
  Response response{.status = 200, .headers = {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-store"}}};
  response.live_from = std::string(call.request.header("last-event-id"));
  return response;
}

}  // namespace picket::api
