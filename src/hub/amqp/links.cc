#include "links.h"

namespace picket::hub::amqp {
namespace {

std::unexpected<Condition> not_here() {
  return std::unexpected(Condition{"amqp:not-implemented", "This hub does not offer it.", {}});
}
std::unexpected<Condition> wrong_direction() {
  return std::unexpected(Condition{"amqp:not-allowed", "This address works in the other direction.", {}});
}

/// The Event-Hub-compatible endpoint is at the same host, under the hub's name.
Condition redirect(Connection& connection, const ServiceGrant& grant, const Address& address) {
  constexpr std::string_view kPrefix = "/messages/events";
  const auto& host = connection.host();
  const auto name = host.substr(0, host.find(':'));
  const auto port = connection.rim().public_port();
  auto rest = address.path.substr(kPrefix.size());
  if (rest.empty() || rest == "/") rest = "/$management";
  const auto full = "amqps://" + name + ":" + std::to_string(port) + "/" + grant.hub + rest;
  return {"amqp:link:redirect",
          "The events are at " + full,
          {{Symbol{"hostname"}, name},
           {Symbol{"network-host"}, name},
           {Symbol{"port"}, static_cast<std::uint64_t>(port)},
           {Symbol{"address"}, full}}};
}

}  // namespace

MadeLink make_device_link(Connection& connection, LinkId id, Device& device, const Address& address,
                          const LinkRequest& request) {
  const auto& services = connection.services();
  switch (address.kind) {
    case AddressKind::telemetry:
      if (!request.client_sends) return wrong_direction();
      return make_telemetry_link(connection, id, device);
    case AddressKind::commands:
      if (request.client_sends) return wrong_direction();
      if (services.commands == nullptr) return not_here();
      return make_command_link(connection, id, device);
    case AddressKind::methods:
      if (services.methods == nullptr) return not_here();
      return make_method_link(connection, id, device, request.client_sends);
    case AddressKind::twin:
      if (services.twins == nullptr) return not_here();
      return make_twin_link(connection, id, device, request);
    default:
      return not_here();
  }
}

MadeLink make_service_link(Connection& connection, LinkId id, const ServiceGrant& grant, const Address& address,
                           const LinkRequest& request) {
  const auto& services = connection.services();
  switch (address.kind) {
    case AddressKind::devicebound:
      if (!request.client_sends) return wrong_direction();
      if (services.commands == nullptr) return not_here();
      return make_service_send_link(connection, id, grant);
    case AddressKind::feedback:
      if (request.client_sends) return wrong_direction();
      if (services.commands == nullptr) return not_here();
      return make_feedback_link(connection, id, grant);
    case AddressKind::file_notifications:
      if (request.client_sends) return wrong_direction();
      if (services.files == nullptr) return not_here();
      return make_file_notification_link(connection, id, grant);
    case AddressKind::events_redirect:
      if (services.events == nullptr) return not_here();
      return std::unexpected(redirect(connection, grant, address));
    case AddressKind::events:
      if (request.client_sends) return wrong_direction();
      if (services.events == nullptr) return not_here();
      return make_event_link(connection, id, grant, address, request);
    case AddressKind::management:
      if (services.events == nullptr) return not_here();
      return make_management_link(connection, id, grant, request);
    default:
      return not_here();
  }
}

}  // namespace picket::hub::amqp
