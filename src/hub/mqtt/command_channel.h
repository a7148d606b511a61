// Commands on their way to one device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "mqtt_connection.h"

namespace picket::hub {

struct MqttConnection::CommandChannel {
  struct Delivery {
    std::uint16_t packet_id = 0;
    std::string lock;
  };
  std::vector<Delivery> in_flight;  ///< Sent with QoS 1, not acknowledged; in order.
  bool asking = false;              ///< Commands::receive() has not answered yet.
  bool more = false;                ///< Something came while it was asked.

  /// Sent and not acknowledged: a slow device keeps the rest in its queue, where it can expire and be purged.
  static constexpr std::size_t kInFlightMax = 16;
};

}  // namespace picket::hub
