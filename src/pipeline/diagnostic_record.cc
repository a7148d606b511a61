#include "pipeline/diagnostic_record.h"

#include <algorithm>
#include <array>

#include <boost/json.hpp>

#include "base/core/encoding.h"
#include "base/core/json_writer.h"
#include "hub_record.h"
#include "hub_row.h"
#include "net_prefix.h"

namespace picket::pipeline {
namespace {

/// The hub's six digits as IoT Hub's logs name them (hub.md, section 1.6).
constexpr std::array<std::pair<int, std::string_view>, 16> kResultNames = {{
    {400027, "ConnectionForcefullyClosedOnNewConnection"},
    {401003, "IoTHubUnauthorized"},
    {403002, "IoTHubQuotaExceeded"},
    {403004, "DeviceMaximumQueueDepthExceeded"},
    {403006, "DeviceMaximumActiveFileUploadLimitExceeded"},
    {403012, "DeviceDisabled"},
    {404001, "DeviceNotFound"},
    {404010, "ModuleNotFound"},
    {404103, "DeviceNotOnline"},
    {404104, "DeviceConnectionClosedRemotely"},
    {409001, "DeviceAlreadyExists"},
    {409002, "LinkCreationConflict"},
    {412001, "PreconditionFailed"},
    {412002, "DeviceMessageLockLost"},
    {413001, "MessageTooLarge"},
    {429001, "ThrottlingException"},
}};

std::string result_description(const HubRecord& record) {
  const auto* found = std::ranges::find(kResultNames, record.code, [](const auto& entry) { return entry.first; });
  std::string out(found == kResultNames.end() ? std::string_view() : found->second);
  if (record.reason.empty()) return out;
  return out.empty() ? record.reason : out + ": " + record.reason;
}

std::string protocol_name(const HubRecord& record) {
  const bool websocket = record.transport == "websocket";
  if (record.protocol == "mqtt") return websocket ? "MqttWs" : "Mqtt";
  if (record.protocol == "amqp") return websocket ? "AmqpWs" : "Amqp";
  if (record.protocol == "https") return "Https";
  return record.protocol;
}

class Properties {
 public:
  Properties() { json_.begin_object(); }
  Properties& text(std::string_view name, std::string_view value) {
    if (!value.empty()) json_.key(name).value(value);
    return *this;
  }
  Properties& number(std::string_view name, std::uint64_t value) {
    if (value != 0) json_.key(name).value(value);
    return *this;
  }
  Properties& time(std::string_view name, std::optional<Timestamp> value) {
    if (value) json_.key(name).value(*value);
    return *this;
  }
  Properties& duration(std::string_view name, std::optional<Duration> value) {
    if (value) json_.key(name).value(value->whole_ms());
    return *this;
  }
  Properties& flag(std::string_view name, std::optional<bool> value) {
    if (value) json_.key(name).value(*value);
    return *this;
  }
  std::string take() { return json_.end_object().take(); }

 private:
  JsonWriter json_;
};

std::string auth_text(const HubRecord& record) {
  if (record.auth_type.empty() && record.auth_scope.empty()) return {};
  Properties out;
  out.text("scope", record.auth_scope).text("type", record.auth_type).text("issuer", "iothub");
  return out.take();
}

void add_connection(const HubRecord& record, Properties& out) {
  out.text("authType", auth_text(record)).text("sdkVersion", record.sdk).text("tlsVersion", record.tls_version);
  out.text("tlsCipher", record.tls_cipher).number("messages", record.messages);
  out.duration("connectedMs", record.connected).duration("skewMs", record.skew);
  if (!record.certificate) return;
  out.text("certificateThumbprint", record.certificate->thumbprint);
  out.time("certificateNotAfter", record.certificate->not_after);
}

std::string_view size_name(std::string_view category) {
  if (category == "DeviceTelemetry") return "messageSizeInBytes";
  if (category == "C2DCommands") return "messageSizeInBytes";
  if (category == "DirectMethods") return "RequestSize";
  return "messageSize";
}

std::string properties_text(const HubRecord& record, std::string_view category) {
  Properties out;
  out.text("deviceId", record.device.device_id).text("moduleId", record.device.module_id);
  out.text("protocol", record.audit ? std::string_view() : std::string_view(protocol_name(record)));
  out.text("maskedIpAddress", masked_address(record.source));
  if (category == "Connections") add_connection(record, out);
  if (!record.audit && !record.proven && !record.device.device_id.empty()) out.flag("claimed", true);
  out.flag("claimedDeviceOnline", record.claimed_online);
  out.text("object", record.object).text("policy", record.policy);
  out.number("statusCode", static_cast<std::uint64_t>(record.code == 0 ? 0 : record.code / 1000));
  out.number(size_name(category), record.bytes);
  if (record.is_aggregate()) {
    out.number("count", record.count).time("windowFrom", record.window_from).time("windowTo", record.window_to);
    out.number("maxSize", record.size_max);
  }
  out.number("droppedBefore", record.dropped_before);
  return out.take();
}

std::string identity_text(const HubRecord& record) {
  JsonWriter out;
  out.begin_object().key("claims").begin_object().key("name").value(record.actor).end_object();
  return out.end_object().take();
}

std::string write(const HubRecord& record, OperationName name, const DiagnosticSource& source,
                  const journal::RecordView& from) {
  JsonWriter out;
  out.begin_object().key("time").value(record.time);
  out.key("resourceId").value(source.resource_id).key("operationName").value(name.name);
  out.key("category").value(name.category).key("level").value(level_of(record));
  out.key("resultType").value(std::to_string(record.code));
  if (record.code != 0) out.key("resultSignature").value(std::to_string(record.code / 1000));
  if (const auto text = result_description(record); !text.empty()) out.key("resultDescription").value(text);
  out.key("durationMs").value(std::to_string(record.duration.value_or(Duration{}).whole_ms()));
  if (!record.actor.empty()) out.key("identity").raw(identity_text(record));
  if (const auto* outbox = from.property("outbox-id")) out.key("correlationId").value(*outbox);
  out.key("properties").value(properties_text(record, name.category));
  out.key("location").value(source.location).key("recordId").value(from.id.sequence);
  return out.end_object().take();
}

}  // namespace

std::string masked_address(std::string_view address) {
  const auto parsed = parse_net_prefix(address);
  if (!parsed) return {};
  if (!parsed->ipv6) {
    const std::string network = to_text(parsed->widened(24));
    return network.substr(0, network.rfind('.')) + ".XXX";
  }
  const auto group = [&](std::size_t i) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (const std::uint8_t byte : {parsed->bytes[2 * i], parsed->bytes[2 * i + 1]}) {
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
    return out;
  };
  return group(0) + ":" + group(1) + ":" + group(2) + ":XXXX";
}

std::optional<DiagnosticLine> diagnostic_line(const journal::RecordView& record, const DiagnosticWanted& wanted) {
  if (record.kind != journal::RecordKind::hub_event && record.kind != journal::RecordKind::audit) return std::nullopt;
  const auto parsed = parse_hub_record(record);
  if (!parsed) return std::nullopt;
  const OperationName name = operation_name(*parsed);
  if (name.category == "DeviceTelemetry" && parsed->is_aggregate() && parsed->code == 0) return std::nullopt;
  const auto source = wanted(parsed->device.hub, name.category);
  if (!source) return std::nullopt;
  return DiagnosticLine{name.category, parsed->device.hub, write(*parsed, name, *source, record)};
}

}  // namespace picket::pipeline
