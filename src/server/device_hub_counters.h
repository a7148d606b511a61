// The device hub's counters as the API and /metrics show them.
#pragma once

#include <cstdint>
#include <vector>

#include "api/services.h"
#include "diagnostics.h"
#include "hub/amqp_head.h"
#include "hub/command_service.h"
#include "hub/file_service.h"
#include "hub/https_head.h"
#include "hub/jobs.h"
#include "hub/method_broker.h"
#include "hub/mqtt_head.h"
#include "hub/operation_counters.h"
#include "hub/router.h"
#include "state/database.h"

namespace picket::server {

struct DeviceHubStats {
  hub::MqttHeadStats mqtt;
  hub::AmqpHeadStats amqp;
  hub::HttpsHeadStats https;
  hub::CommandStats commands;
  hub::MethodStats methods;
  hub::FileStats files;
  hub::RouterStats routes;
  DiagnosticsStats diagnostics;
  hub::OperationCounters::Stats operations;
  hub::JobTotals jobs;
  std::uint64_t connected_devices = 0;
  std::uint64_t devices = 0;             ///< Of all hubs.
  std::uint64_t blocks_today = 0;        ///< Of messages, of all hubs.
  std::uint64_t operations_dropped = 0;  ///< Records of the operations log.
  state::DatabaseStats database;
};

/// Groups "hub" (all heads together, then the MQTT head's), "hub_amqp", "hub_https", "hub_services", "hub_diagnostics",
/// and "iothub": metrics under the names that Azure Monitor has for an IoT Hub (spec/hub.md, section 1.6).
std::vector<api::CounterGroup> device_hub_counters(const DeviceHubStats& stats);

}  // namespace picket::server
