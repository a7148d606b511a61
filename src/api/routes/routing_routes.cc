// Routes of a hub: read, write, and try on a message. And where devices register.
#include <boost/json.hpp>

#include "../hub_answer.h"
#include "../json_body.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "hub/hub_settings.h"

namespace picket::api {
namespace {

std::unexpected<ApiError> not_offered() { return std::unexpected(ApiError{.code = "not_implemented"}); }

std::expected<RouteDesk*, ApiError> desk_of(const Call& call) {
  const Services& services = call.parts.services;
  if (services.routes == nullptr || services.hub_settings == nullptr) return not_offered();
  if (!services.hub_settings->of(call.path_values[0])) {
    return std::unexpected(ApiError{.code = "not_found", .target = "hub"});
  }
  return services.routes;
}

}  // namespace

Answer get_routing(Call& call) {
  API_TRY(auto* desk, desk_of(call));
  return Response::json(desk->read(call.path_values[0]));
}

Answer put_routing(Call& call) {
  API_TRY(auto* desk, desk_of(call));
  const auto written = desk->write(call.path_values[0], call.request.body, call.actor());
  if (!written) return std::unexpected(hub_error(written.error(), "routing"));
  return Response::json(desk->read(call.path_values[0]));
}

Answer test_routing(Call& call) {
  API_TRY(auto* desk, desk_of(call));
  API_TRY(const auto body, JsonBody::parse(call.request, {"source", "deviceId", "moduleId", "properties", "body"}));
  API_TRY(const auto source, body.text("source", 64));
  API_TRY(const auto device, body.text("deviceId", 128));
  API_TRY(const auto module, body.text("moduleId", 128));
  API_TRY(const auto text, body.text("body", 256 * 1024));
  API_TRY(const auto properties, body.json("properties", 64 * 1024));
  hub::RoutedMessage message;
  if (source) {
    const auto known = hub::message_source_of(*source);
    if (!known) return std::unexpected(invalid("source", "There is no such source of messages."));
    message.source = *known;
  }
  message.event.identity = {call.path_values[0], device.value_or(""), module.value_or(""), ""};
  message.event.enqueued = call.now();
  const Bytes bytes = as_bytes(text ? *text : std::string_view());
  message.event.body.assign(bytes.begin(), bytes.end());
  if (properties) {
    const auto parsed = boost::json::parse(*properties);
    if (!parsed.is_object()) return std::unexpected(invalid("properties", "This must be an object of texts."));
    for (const auto& [name, value] : parsed.get_object()) {
      if (!value.is_string()) return std::unexpected(invalid("properties", "This must be an object of texts."));
      message.event.properties.emplace_back(name, value.get_string());
    }
  }
  const auto routes = desk->test(call.path_values[0], message);
  if (!routes) return std::unexpected(hub_error(routes.error(), "routing"));
  JsonWriter out;
  out.begin_object().key("routes").begin_array();
  for (const auto& route : *routes) out.value(route);
  return Response::json(out.end_array().end_object().take());
}

Answer get_provisioning(Call& call) {
  const Services& services = call.parts.services;
  if (services.id_scope.empty()) return not_offered();
  JsonWriter out;
  out.begin_object().key("idScope").value(services.id_scope).key("host").value(services.host_name);
  if (services.response != nullptr) out.key("responsePublicKey").value(services.response->public_keys().current);
  return Response::json(out.end_object().take());
}

}  // namespace picket::api
