// A device that asks where it belongs: DPS over MQTT (spec/hub.md 1.7). Its session never persists, and it is in no
// directory: it has no identity of a hub yet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "hub/provisioning.h"
#include "mqtt/packet.h"
#include "mqtt_connection.h"

namespace picket::hub {

struct MqttConnection::ProvisioningChannel {
  ProvisioningGrant grant;
  std::optional<mqtt::QoS> answers;  ///< Granted to $dps/registrations/res/#; nullopt: not subscribed.
  std::uint16_t next_packet_id = 1;
  std::size_t requests = 0;  ///< Asked and not answered.

  static constexpr std::size_t kRequestsMax = 4;
};

}  // namespace picket::hub
