#include "hub_row.h"

#include <algorithm>
#include <string>

namespace picket::pipeline {
namespace {

using workspace::Cell;

struct Naming {
  std::string_view kind;  ///< Or operation, or beginning of an audit kind that ends in '.'.
  OperationName name;
};

constexpr Naming kNames[] = {
    {"connect", {"Connections", "deviceConnect"}},
    {"auth_failed", {"Connections", "deviceConnect"}},
    {"tls_failed", {"Connections", "tlsHandshake"}},
    {"disconnect", {"Connections", "deviceDisconnect"}},
    {"evicted", {"Connections", "deviceEvicted"}},
    {"throttled", {"Connections", "throttled"}},
    {"subscribe_denied", {"Connections", "subscribe"}},
    {"topic_denied", {"DeviceTelemetry", "publish"}},
    {"clock_skew", {"Connections", "clockSkew"}},
    {"d2c_message", {"DeviceTelemetry", "ingress"}},
    {"c2d_message", {"C2DCommands", "messageDelivered"}},
    {"c2d_completed", {"C2DCommands", "messageCompleted"}},
    {"c2d_rejected", {"C2DCommands", "messageRejected"}},
    {"c2d_abandoned", {"C2DCommands", "messageAbandoned"}},
    {"queue_purge", {"C2DCommands", "queuePurge"}},
    {"twin_read", {"C2DTwinOperations", "read"}},
    {"twin_update", {"C2DTwinOperations", "update"}},
    {"twin_report", {"D2CTwinOperations", "update"}},
    {"method_invoke", {"DirectMethods", "invoke"}},
    {"job", {"JobsOperations", "run"}},
    {"upload_start", {"FileUploadOperations", "initiate"}},
    {"upload_notify", {"FileUploadOperations", "notify"}},
    {"registry_read", {"DeviceIdentityOperations", "get"}},
    {"query", {"TwinQueries", "query"}},
    {"query_run", {"TwinQueries", "query"}},
    {"d2c", {"DeviceTelemetry", ""}},
    {"c2d", {"C2DCommands", ""}},
    {"twin", {"C2DTwinOperations", ""}},
    {"method", {"DirectMethods", ""}},
    {"upload", {"FileUploadOperations", ""}},
    {"registry", {"DeviceIdentityOperations", ""}},
    {"registry_change", {"DeviceIdentityOperations", ""}},
    {"device.create", {"DeviceIdentityOperations", "create"}},
    {"device.update", {"DeviceIdentityOperations", "update"}},
    {"device.delete", {"DeviceIdentityOperations", "delete"}},
    {"device.", {"DeviceIdentityOperations", ""}},
    {"module.", {"DeviceIdentityOperations", ""}},
    {"twin.", {"C2DTwinOperations", ""}},
    {"configuration.", {"Configurations", ""}},
    {"deployment.", {"Configurations", ""}},
    {"job.", {"JobsOperations", ""}},
    {"route.", {"Routes", ""}},
    {"routes.", {"Routes", ""}},
    {"session.", {"Access", ""}},
    {"key.", {"Access", ""}},
    {"key_read", {"Access", ""}},
    {"key_rotated", {"Access", ""}},
    {"alert.", {"Triage", ""}},
};

const Naming* find(std::string_view key) {
  const auto named = [&](const Naming& naming) {
    return naming.kind.ends_with('.') ? key.starts_with(naming.kind) : naming.kind == key;
  };
  const auto* found = std::ranges::find_if(kNames, named);
  return found == std::end(kNames) ? nullptr : found;
}

}  // namespace

std::string_view level_of(const HubRecord& record) {
  if (record.kind == "disconnect" && record.reason == "client") return "Information";
  if (record.code >= 500'000) return "Error";
  const bool failed = record.code != 0 || record.kind == "auth_failed" || record.kind == "tls_failed" ||
                      record.kind.ends_with("_failed") || record.kind.ends_with("_denied");
  return failed ? "Warning" : "Information";
}

OperationName operation_name(const HubRecord& record) {
  const Naming* found = record.operation.empty() ? nullptr : find(record.operation);
  if (found == nullptr) found = find(record.kind);
  OperationName out = found == nullptr ? OperationName{"Administration", ""} : found->name;
  // Devices read their twins too.
  const bool by_device = record.protocol == "mqtt" || record.protocol == "amqp";
  if (record.operation == "twin_read" && by_device) out.category = "D2CTwinOperations";
  if (out.name.empty()) out.name = record.operation.empty() ? std::string_view(record.kind) : record.operation;
  return out;
}

void add_hub_row(const HubRecord& record, workspace::TableIndex table, RowBatch& batch) {
  batch.begin_row(table, {record.id.sequence, 0, 0}, record.enqueued);
  auto& cells = batch.cells();
  const auto text = [&](std::string_view value) {
    cells.push_back(value.empty() ? Cell::null() : Cell::text(batch.keep(std::string(value))));
  };
  const auto time = [&](std::optional<Timestamp> value) {
    cells.push_back(value ? Cell::timestamp(*value) : Cell::null());
  };
  const auto number = [&](std::uint64_t value) {
    cells.push_back(Cell::integer(static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX))));
  };
  const HubCertificate none;
  const HubCertificate& certificate = record.certificate ? *record.certificate : none;
  const OperationName name = operation_name(record);
  cells.push_back(Cell::timestamp(record.time));
  text(record.device.hub);
  text(name.category);
  text(name.name);
  text(record.kind);
  text(level_of(record));
  text(std::to_string(record.code));
  text(record.reason);
  text(record.device.device_id);
  text(record.device.module_id);
  cells.push_back(Cell::boolean(!record.audit && !record.proven && !record.device.device_id.empty()));
  cells.push_back(record.claimed_online ? Cell::boolean(*record.claimed_online) : Cell::null());
  text(record.actor);
  text(record.source);
  text(record.protocol);
  text(record.transport);
  text(record.tls_version);
  text(record.tls_cipher);
  text(record.tls_group);
  text(certificate.thumbprint);
  text(certificate.issuer);
  time(certificate.not_after);
  text(record.auth_type);
  text(record.auth_scope);
  text(record.policy);
  time(record.token_expiry);
  text(record.credential);
  text(record.sdk);
  text(record.object);
  number(record.count);
  number(record.bytes);
  const auto took = record.duration ? record.duration : record.connected;
  cells.push_back(took ? Cell::integer(took->whole_ms()) : Cell::null());
  text(record.body.size() <= kHubDetailsBytesMax ? std::string_view(record.body)
                                                 : std::string_view(R"({"cut":"the whole record is in the journal"})"));
}

}  // namespace picket::pipeline
