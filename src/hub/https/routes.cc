#include "routes.h"

#include <array>

#include "batch_json.h"

namespace picket::hub {
namespace {

constexpr std::array kRoutes = {
    CallRoute{"GET", "/$iothub/websocket", Access::open, 0, open_websocket, 0},
    // "wss://gateway:port:443/..." is how the Node SDK spells an address behind a gateway with a port (spec 2.1).
    CallRoute{"GET", "/{port}/$iothub/websocket", Access::open, 0, open_websocket, 0},
    CallRoute{"POST", "/devices/{d}/messages/events", Access::device, 0, send_message, kBatchBytesMax},
    CallRoute{"POST", "/devices/{d}/modules/{m}/messages/events", Access::device, 0, send_message, kBatchBytesMax},
};

}  // namespace

std::span<const CallRoute> call_routes() { return kRoutes; }

}  // namespace picket::hub
