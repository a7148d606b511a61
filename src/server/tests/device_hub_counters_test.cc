// Azure Monitor's names: each is moved by what it says, and by nothing else.
#include "device_hub_counters.h"

#include <functional>
#include <map>

#include <gtest/gtest.h>

namespace picket::server {
namespace {

using hub::Operation;
using hub::Protocol;

std::map<std::string, double> azure(const DeviceHubStats& stats) {
  for (const auto& group : device_hub_counters(stats)) {
    if (group.part == "iothub") return {group.counters.begin(), group.counters.end()};
  }
  return {};
}

hub::OperationTotal& total(DeviceHubStats& stats, Operation operation, Protocol protocol) {
  return stats.operations.totals[static_cast<std::size_t>(operation)][static_cast<std::size_t>(protocol)];
}

struct Case {
  std::vector<std::string> names;
  std::function<void(DeviceHubStats&)> happens;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {{"d2c.telemetry.ingress.allProtocol"}, [](auto& s) { s.mqtt.messages_received = 1; }},
      {{"d2c.telemetry.ingress.allProtocol"}, [](auto& s) { s.https.messages_received = 1; }},
      {{"d2c.telemetry.ingress.allProtocol"},
       [](auto& s) { total(s, Operation::d2c_message, Protocol::amqp).failed = 1; }},
      {{"d2c.telemetry.ingress.success"}, [](auto& s) { s.https.messages_stored = 1; }},
      {{"d2c.telemetry.ingress.success"}, [](auto& s) { s.amqp.messages_stored = 1; }},
      {{"d2c.telemetry.ingress.sendThrottle"},
       [](auto& s) { total(s, Operation::d2c_message, Protocol::mqtt).throttled = 1; }},
      {{}, [](auto& s) { total(s, Operation::d2c_message, Protocol::mqtt).failed = 1; }},
      {{"d2c.telemetry.egress.success", "RoutingDeliveries"}, [](auto& s) { s.routes.delivered = 1; }},
      {{"d2c.telemetry.egress.fallback"}, [](auto& s) { s.routes.fallback = 1; }},
      {{"d2c.telemetry.egress.orphaned"}, [](auto& s) { s.routes.orphaned = 1; }},
      {{"c2d.commands.egress.complete.success"}, [](auto& s) { s.commands.completed = 1; }},
      {{"c2d.commands.egress.abandon.success"}, [](auto& s) { s.commands.abandoned = 1; }},
      {{"c2d.commands.egress.reject.success"}, [](auto& s) { s.commands.rejected = 1; }},
      {{"C2DMessagesExpired"}, [](auto& s) { s.commands.expired = 1; }},
      {{"c2d.methods.success"}, [](auto& s) { s.methods.answered = 1; }},
      {{"c2d.methods.failure"}, [](auto& s) { s.methods.failed = 1; }},
      {{"d2c.twin.read.success"}, [](auto& s) { total(s, Operation::twin_read, Protocol::mqtt).ok = 1; }},
      {{"d2c.twin.read.success"}, [](auto& s) { total(s, Operation::twin_read, Protocol::amqp).ok = 1; }},
      {{"d2c.twin.read.failure"}, [](auto& s) { total(s, Operation::twin_read, Protocol::amqp).failed = 1; }},
      {{"d2c.twin.read.size"}, [](auto& s) { total(s, Operation::twin_read, Protocol::amqp).bytes = 1; }},
      {{"d2c.twin.update.success"}, [](auto& s) { total(s, Operation::twin_report, Protocol::amqp).ok = 1; }},
      {{"d2c.twin.update.failure"}, [](auto& s) { total(s, Operation::twin_report, Protocol::mqtt).failed = 1; }},
      {{"d2c.twin.update.size"}, [](auto& s) { total(s, Operation::twin_report, Protocol::mqtt).bytes = 1; }},
      {{"c2d.twin.read.success"}, [](auto& s) { total(s, Operation::twin_read, Protocol::service).ok = 1; }},
      {{"c2d.twin.read.failure"}, [](auto& s) { total(s, Operation::twin_read, Protocol::service).failed = 1; }},
      {{"c2d.twin.read.size"}, [](auto& s) { total(s, Operation::twin_read, Protocol::service).bytes = 1; }},
      {{"c2d.twin.update.success"}, [](auto& s) { total(s, Operation::twin_update, Protocol::service).ok = 1; }},
      {{"c2d.twin.update.failure"}, [](auto& s) { total(s, Operation::twin_update, Protocol::service).failed = 1; }},
      {{"c2d.twin.update.size"}, [](auto& s) { total(s, Operation::twin_update, Protocol::service).bytes = 1; }},
      {{"twinQueries.success"}, [](auto& s) { total(s, Operation::query, Protocol::service).ok = 1; }},
      {{"twinQueries.failure"}, [](auto& s) { total(s, Operation::query, Protocol::service).failed = 1; }},
      {{"twinQueries.resultSize"}, [](auto& s) { total(s, Operation::query, Protocol::service).bytes = 1; }},
      {{"jobs.completed"}, [](auto& s) { s.jobs.completed = 1; }},
      {{"jobs.failed"}, [](auto& s) { s.jobs.failed = 1; }},
      {{"connectedDeviceCount"}, [](auto& s) { s.connected_devices = 1; }},
      {{"totalDeviceCount"}, [](auto& s) { s.devices = 1; }},
      {{"dailyMessageQuotaUsed"}, [](auto& s) { s.blocks_today = 1; }},
  };
  return all;
}

TEST(AzureMetrics, EachMovesWithWhatItSaysAndWithNothingElse) {
  std::map<std::string, double> moved;
  for (const auto& [name, value] : azure({})) {
    EXPECT_EQ(value, 0) << name;
    moved[name] = 0;
  }
  for (const Case& one : cases()) {
    DeviceHubStats stats;
    one.happens(stats);
    for (const auto& [name, value] : azure(stats)) {
      const bool expected = std::find(one.names.begin(), one.names.end(), name) != one.names.end();
      EXPECT_EQ(value, expected ? 1 : 0) << name;
      if (value != 0) ++moved[name];
    }
  }
  for (const auto& [name, times] : moved) EXPECT_GT(times, 0) << name << " has no case";
}

TEST(AzureMetrics, NamesThatCannotMoveHereAreAbsent) {
  const auto names = azure({});
  EXPECT_FALSE(names.contains("d2c.telemetry.egress.dropped"));
  EXPECT_FALSE(names.contains("d2c.telemetry.egress.invalid"));
}

}  // namespace
}  // namespace picket::server
