#include "links.h"

namespace picket::hub::amqp {
namespace {

std::unexpected<Condition> not_here() {
  return std::unexpected(Condition{"amqp:not-implemented", "This hub does not offer it.", {}});
}
std::unexpected<Condition> wrong_direction() {
  return std::unexpected(Condition{"amqp:not-allowed", "This address works in the other direction.", {}});
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

MadeLink make_service_link(Connection&, LinkId, const ServiceGrant&, const Address&, const LinkRequest&) {
  return not_here();
}

}  // namespace picket::hub::amqp
