#include "device_hub_counters.h"

#include <numeric>

#include "counter_group.h"

namespace picket::server {
namespace {

using hub::Operation;

void add_listener(Group& group, const net::ListenerStats& listener) {
  group.add("sockets_open", listener.open)
      .add("sockets_unauthenticated", listener.unauthenticated)
      .add("sockets_accepted", listener.accepted)
      .add("sockets_rejected_connections_max", listener.rejected_connections_max)
      .add("sockets_rejected_rate", listener.rejected_rate)
      .add("sockets_evicted_unauthenticated", listener.evicted_unauthenticated)
      .add("handshakes_failed", listener.handshakes_failed)
      .add("handshake_timeouts", listener.handshake_timeouts)
      .add("first_bytes_timeouts", listener.first_bytes_timeouts)
      .add("accept_errors", listener.accept_errors);
}

template <class Numbers>
void add_disconnects(Group& group, const Numbers& disconnects) {
  for (std::size_t i = 0; i < disconnects.size(); ++i) {
    group.add("disconnects_" + std::string(to_string(static_cast<hub::DisconnectReason>(i))), disconnects[i]);
  }
}

api::CounterGroup hub_group(const DeviceHubStats& all) {
  const auto& stats = all.mqtt;
  Group group("hub");
  group.add("connected", stats.connected + all.amqp.connected)
      .add("connects", stats.connects + all.amqp.connects)
      .add("messages_received", stats.messages_received + all.https.messages_received + all.amqp.messages_stored)
      .add("messages_stored", stats.messages_stored + all.https.messages_stored + all.amqp.messages_stored)
      .add("message_bytes_received", stats.message_bytes_received)
      .add("refused_overload", stats.refused_overload)
      .add("refused_protocol", stats.refused_protocol)
      .add("subscribes_denied", stats.subscribes_denied)
      .add("sessions_resumed", stats.sessions_resumed)
      .add("reserved_properties", stats.reserved_properties + all.https.reserved_properties)
      .add("not_offered", stats.not_offered)
      .add("unanswered", stats.unanswered)
      .add("storage_waits", stats.storage_waits + all.https.storage_waits)
      .add("operations_dropped", all.operations_dropped)
      .add("operations_uncounted", all.operations.dropped);
  for (std::size_t i = 0; i < stats.refused.size(); ++i) {
    group.add("refused_" + std::string(to_string(static_cast<hub::AuthCheck>(i))), stats.refused[i]);
  }
  add_disconnects(group, stats.disconnects);
  add_listener(group, stats.listener);
  return group.take();
}

api::CounterGroup amqp_group(const hub::AmqpHeadStats& stats) {
  Group group("hub_amqp");
  group.add("connections", stats.connections)
      .add("connects", stats.connects)
      .add("connected", stats.connected)
      .add("messages_stored", stats.messages_stored)
      .add("auth_failed", stats.auth_failed)
      .add("slow_readers", stats.slow_readers)
      .add("throttled", stats.throttled);
  add_disconnects(group, stats.disconnects);
  add_listener(group, stats.listener);
  return group.take();
}

api::CounterGroup https_group(const hub::HttpsHeadStats& stats) {
  Group group("hub_https");
  group.add("requests", stats.requests)
      .add("responses_2xx", stats.responses_2xx)
      .add("responses_4xx", stats.responses_4xx)
      .add("responses_5xx", stats.responses_5xx)
      .add("malformed", stats.malformed)
      .add("timeouts", stats.timeouts)
      .add("messages_stored", stats.messages_stored)
      .add("unauthorized", stats.unauthorized)
      .add("websockets", stats.websockets);
  add_listener(group, stats.listener);
  return group.take();
}

api::CounterGroup services_group(const DeviceHubStats& all) {
  Group group("hub_services");
  group.add("commands_sent", all.commands.sent)
      .add("commands_delivered", all.commands.delivered)
      .add("commands_refused_full", all.commands.refused_full)
      .add("commands_locked", all.commands.locked)
      .add("command_locks_lost", all.commands.locks_lost)
      .add("feedback_dropped", all.commands.feedback_dropped)
      .add("methods_open", all.methods.open)
      .add("methods_refused", all.methods.refused)
      .add("methods_foreign_replies", all.methods.foreign_replies)
      .add("uploads_opened", all.files.opened)
      .add("uploads_expired", all.files.expired)
      .add("uploads_refused_room", all.files.refused_room)
      .add("uploads_refused_signature", all.files.refused_signature)
      .add("blob_bytes_used", all.files.bytes_used)
      .add("file_notifications_dropped", all.files.notifications_dropped)
      .add("routes_lag_records", all.routes.lag_records)
      .add("routes_undefined", all.routes.undefined)
      .add("routes_files_finished", all.routes.files_finished)
      .add("routes_write_failures", all.routes.write_failures)
      .add("state_writes", all.database.submitted)
      .add("state_writes_refused", all.database.refused)
      .add("state_writes_waiting", all.database.waiting)
      .add("state_commits", all.database.commits)
      .add("state_commits_failed", all.database.failed_commits);
  return group.take();
}

api::CounterGroup diagnostics_group(const DiagnosticsStats& stats) {
  Group group("hub_diagnostics");
  group.add("running", stats.running ? 1 : 0)
      .add("lines_written", stats.written)
      .add("lines_repeated", stats.repeated)
      .add("dropped_room", stats.dropped_room)
      .add("dropped_lag", stats.dropped_lag)
      .add("write_failures", stats.write_failures)
      .add("files_removed", stats.files_removed)
      .add("bytes", stats.bytes)
      .add("lag_records", stats.lag_records);
  return group.take();
}

/// Azure Monitor's names for microsoft.devices/iothubs. What a name cannot say here is left out.
api::CounterGroup azure_group(const DeviceHubStats& all) {
  const auto& done = all.operations;
  const auto of_service = [&](Operation operation) { return done.of(operation, hub::Protocol::service); };
  const auto telemetry = done.by_devices(Operation::d2c_message);
  const auto over_amqp = done.of(Operation::d2c_message, hub::Protocol::amqp);
  const auto reported = done.by_devices(Operation::twin_report);
  const auto read = done.by_devices(Operation::twin_read);
  const auto read_by_service = of_service(Operation::twin_read);
  const auto updated = of_service(Operation::twin_update);
  const auto queried = of_service(Operation::query);
  const auto received = all.mqtt.messages_received + all.https.messages_received + over_amqp.ok + over_amqp.failed;
  const auto stored = all.mqtt.messages_stored + all.https.messages_stored + all.amqp.messages_stored;
  Group group("iothub");
  group.add("d2c.telemetry.ingress.allProtocol", received)
      .add("d2c.telemetry.ingress.success", stored)
      .add("d2c.telemetry.ingress.sendThrottle", telemetry.throttled)
      .add("d2c.telemetry.egress.success", all.routes.delivered)
      .add("d2c.telemetry.egress.fallback", all.routes.fallback)
      .add("d2c.telemetry.egress.orphaned", all.routes.orphaned)
      .add("RoutingDeliveries", all.routes.delivered)
      .add("c2d.commands.egress.complete.success", all.commands.completed)
      .add("c2d.commands.egress.abandon.success", all.commands.abandoned)
      .add("c2d.commands.egress.reject.success", all.commands.rejected)
      .add("C2DMessagesExpired", all.commands.expired)
      .add("c2d.methods.success", all.methods.answered)
      .add("c2d.methods.failure", all.methods.failed)
      .add("d2c.twin.read.success", read.ok)
      .add("d2c.twin.read.failure", read.failed)
      .add("d2c.twin.read.size", read.bytes)
      .add("d2c.twin.update.success", reported.ok)
      .add("d2c.twin.update.failure", reported.failed)
      .add("d2c.twin.update.size", reported.bytes)
      .add("c2d.twin.read.success", read_by_service.ok)
      .add("c2d.twin.read.failure", read_by_service.failed)
      .add("c2d.twin.read.size", read_by_service.bytes)
      .add("c2d.twin.update.success", updated.ok)
      .add("c2d.twin.update.failure", updated.failed)
      .add("c2d.twin.update.size", updated.bytes)
      .add("twinQueries.success", queried.ok)
      .add("twinQueries.failure", queried.failed)
      .add("twinQueries.resultSize", queried.bytes)
      .add("jobs.completed", all.jobs.completed)
      .add("jobs.failed", all.jobs.failed)
      .add("connectedDeviceCount", all.connected_devices)
      .add("totalDeviceCount", all.devices)
      .add("dailyMessageQuotaUsed", all.blocks_today);
  return group.take();
}

}  // namespace

std::vector<api::CounterGroup> device_hub_counters(const DeviceHubStats& stats) {
  return {hub_group(stats),
          amqp_group(stats.amqp),
          https_group(stats.https),
          services_group(stats),
          diagnostics_group(stats.diagnostics),
          azure_group(stats)};
}

}  // namespace picket::server
