// Which link serves which address.
#pragma once

#include <expected>
#include <memory>

#include "conditions.h"
#include "connection.h"
#include "hub/telemetry.h"

namespace picket::hub::amqp {

inline constexpr std::size_t kCbsBytesMax = 16 * 1024;

/// $cbs: both directions, before anything is proven.
std::unique_ptr<Link> make_cbs_link(Connection& connection, LinkId id, const LinkRequest& request);

using MadeLink = std::expected<std::unique_ptr<Link>, Condition>;
/// Errors: amqp:not-implemented (a service that is not here), amqp:not-allowed (wrong direction).
MadeLink make_device_link(Connection& connection, LinkId id, Device& device, const Address& address,
                          const LinkRequest& request);
/// The right ServiceConnect is checked already.
MadeLink make_service_link(Connection& connection, LinkId id, const ServiceGrant& grant, const Address& address,
                           const LinkRequest& request);

std::unique_ptr<Link> make_telemetry_link(Connection& connection, LinkId id, Device& device);
std::unique_ptr<Link> make_command_link(Connection& connection, LinkId id, Device& device);
std::unique_ptr<Link> make_method_link(Connection& connection, LinkId id, Device& device, bool client_sends);
std::unique_ptr<Link> make_twin_link(Connection& connection, LinkId id, Device& device, const LinkRequest& request);
std::unique_ptr<Link> make_service_send_link(Connection& connection, LinkId id, const ServiceGrant& grant);
std::unique_ptr<Link> make_feedback_link(Connection& connection, LinkId id, const ServiceGrant& grant);
std::unique_ptr<Link> make_file_notification_link(Connection& connection, LinkId id, const ServiceGrant& grant);
std::unique_ptr<Link> make_management_link(Connection& connection, LinkId id, const ServiceGrant& grant,
                                           const LinkRequest& request);
MadeLink make_event_link(Connection& connection, LinkId id, const ServiceGrant& grant, const Address& address,
                         const LinkRequest& request);

}  // namespace picket::hub::amqp
