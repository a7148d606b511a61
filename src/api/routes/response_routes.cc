// Signed commands to devices, and the key that devices pin for them.
#include "../hub_answer.h"
#include "../json_body.h"
#include "base/core/json_writer.h"
#include "base/server/log.h"
#include "handlers.h"
#include "hub/methods.h"

namespace picket::api {
namespace {

constexpr std::string_view kMethod = "PicketRespond";  // the agent's response/command.h
constexpr std::size_t kActionBytesMax = 64;
constexpr std::size_t kArgumentsBytesMax = 8 * 1024;
constexpr std::int64_t kLifetimeDefaultS = 300, kLifetimeMaxS = 3600;
constexpr Duration kPatience = Duration::seconds(30);

/// Who ordered what, before it is sent: an order that never came back is known too.
std::expected<void, ApiError> record(const Call& call, const ResponseOrder& order, std::string_view id) {
  JsonWriter body;
  body.begin_object().key("actor").value(call.caller.user).key("source").value(call.request.address);
  body.key("hub").value(call.parts.services.hub).key("object").value(order.device_id);
  body.key("module").value(order.module_id).key("command").value(id).key("action").value(order.action);
  body.key("arguments").raw(order.arguments.empty() ? "{}" : order.arguments).end_object();
  const auto recorded = call.parts.services.outbox.record("response.order", order.device_id, body.take(), call.now());
  if (!recorded) return api_error(recorded.error(), "audit");
  return {};
}

std::expected<ResponseOrder, ApiError> read_order(const Call& call) {
  API_TRY(const auto body, JsonBody::parse(call.request, {"action", "arguments", "expiresInSeconds", "module"}));
  ResponseOrder order;
  order.device_id = call.path_values[0];
  API_TRY(order.action, body.required_text("action", kActionBytesMax));
  API_TRY(const auto arguments, body.json("arguments", kArgumentsBytesMax));
  API_TRY(const auto lifetime_s, body.number("expiresInSeconds", 1, kLifetimeMaxS));
  API_TRY(const auto module, body.text("module", state::kDeviceIdBytesMax));
  order.arguments = arguments.value_or("{}");
  if (!order.arguments.starts_with('{')) return std::unexpected(invalid("arguments", "must be an object"));
  order.lifetime = Duration::seconds(lifetime_s.value_or(kLifetimeDefaultS));
  const auto device = call.parts.services.devices.find(call.parts.services.hub, order.device_id);
  if (!device) return api_error(device.error(), "device");
  order.module_id = module.value_or(std::string(state::kSecurityModule));
  order.generation_id = device->generation_id;
  if (order.module_id.empty()) return order;  // the agent is connected as the device itself
  for (const state::Module& each : device->modules) {
    if (each.module_id != order.module_id) continue;
    order.generation_id = each.generation_id;
    return order;
  }
  return std::unexpected(ApiError{.code = "not_found", .target = "module"});
}

}  // namespace

Answer get_response_key(Call& call) {
  const auto* desk = call.parts.services.response;
  if (desk == nullptr) return std::unexpected(ApiError{.code = "not_implemented"});
  const ResponsePublicKeys keys = desk->public_keys();
  JsonWriter out;
  out.begin_object().key("publicKey").value(keys.current);
  if (!keys.next.empty()) out.key("nextPublicKey").value(keys.next);
  return Response::json(out.end_object().take());
}

Answer respond(Call& call) {
  const Services& services = call.parts.services;
  if (services.response == nullptr || services.methods == nullptr) {
    return std::unexpected(ApiError{.code = "not_implemented"});
  }
  API_TRY(auto order, read_order(call));
  if (order.action == "rotate-key") {
    const std::string next = services.response->public_keys().next;
    if (next.empty()) return std::unexpected(invalid("action", "there is no next key: secrets/response-next.key"));
    JsonWriter arguments;
    order.arguments = arguments.begin_object().key("key").value(next).end_object().take();
  }
  const auto command = services.response->sign(order, call.now());
  if (!command) return api_error(command.error(), "response.key");
  if (const auto recorded = record(call, order, command->id); !recorded) return std::unexpected(recorded.error());
  hub::MethodRequest request{.name = std::string(kMethod), .payload = command->payload};
  const Duration patience = request.response_timeout + kPatience;
  API_TRY(const auto reply, wait_for_hub<hub::MethodReply>("device", patience, [&](hub::Done<hub::MethodReply> done) {
            services.methods->invoke({services.hub, order.device_id, order.module_id}, std::move(request),
                                     call.caller.user, std::move(done));
          }));
  JsonWriter out;
  out.begin_object().key("id").value(command->id).key("module").value(order.module_id);
  out.key("status").value(reply.status).key("payload").raw(reply.payload.empty() ? "null" : reply.payload);
  return Response::json(out.end_object().take());
}

}  // namespace picket::api
