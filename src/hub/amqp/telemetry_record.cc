#include "telemetry_record.h"

#include "base/core/encoding.h"
#include "base/core/identity.h"
#include "hub/telemetry.h"

namespace picket::hub::amqp {
namespace {

constexpr std::string_view kInterfaceId = "iothub-interface-id";

struct Named {
  std::string_view annotation;
  std::string_view name;
};
/// Annotations that are system properties (what the SDKs send; others are dropped).
constexpr Named kAnnotations[] = {
    {kInterfaceId, "$.ifid"}, {"dt-subject", "$.sub"}, {"iothub-outputname", "$.on"}, {"x-opt-output-name", "$.on"}};

HubResult<> put(TelemetryRecord& record, std::string_view name, std::string value) {
  if (!is_utf8(name) || !is_utf8(value)) return hub_fail(kArgumentInvalid, "A property is not UTF-8.");
  if (record.properties.size() >= kTelemetryPropertiesMax) return hub_fail(kArgumentInvalid, "Too many properties.");
  record.properties.emplace_back(name, std::move(value));
  return {};
}

HubResult<> put_system(TelemetryRecord& record, const Message& message) {
  const std::pair<std::string_view, std::string> fields[] = {
      {"$.mid", to_text(message.message_id)},
      {"$.cid", to_text(message.correlation_id)},
      {"$.uid", message.user_id},
      {"$.ct", message.content_type},
      {"$.ce", message.content_encoding},
      {"$.exp", message.expiry ? format_rfc3339(*message.expiry) : std::string()}};
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    if (auto done = put(record, name, value); !done) return done;
  }
  for (const auto& [annotation, name] : kAnnotations) {
    const auto* value = find(message.annotations, annotation);
    if (value == nullptr) continue;
    if (auto done = put(record, name, to_text(*value)); !done) return done;
  }
  return {};
}

bool has(const TelemetryRecord& record, std::string_view name) {
  for (const auto& property : record.properties) {
    if (property.first == name) return true;
  }
  return false;
}

HubResult<> put_application(TelemetryRecord& record, const Message& message) {
  for (const auto& [key, value] : message.application) {
    const auto name = key.text().value_or("");
    if (name == kInterfaceId) {  // how SDKs without annotations mark a security message
      if (has(record, "$.ifid")) continue;
      if (auto done = put(record, "$.ifid", to_text(value)); !done) return done;
      continue;
    }
    if (name.empty() || name.starts_with("$.") || is_reserved(name)) {
      ++record.reserved_dropped;
      continue;
    }
    if (auto done = put(record, name, to_text(value)); !done) return done;
  }
  return {};
}

std::size_t counted_bytes(const TelemetryRecord& record) {
  std::size_t bytes = record.body.size();
  for (const auto& [name, value] : record.properties)
    bytes += value.size() + (name.starts_with("$.") ? 0 : name.size());
  return bytes;
}

HubResult<TelemetryRecord> read_one(Bytes bytes) {
  const auto message = read_message(bytes);
  if (!message) return hub_fail(kArgumentInvalid, "Not an AMQP message: " + std::string(message.error().where));
  TelemetryRecord record;
  if (auto done = put_system(record, *message); !done) return std::unexpected(done.error());
  if (auto done = put_application(record, *message); !done) return std::unexpected(done.error());
  const auto body = message->body();
  record.body.assign(body.begin(), body.end());
  return record;
}

}  // namespace

HubResult<std::vector<TelemetryRecord>> read_telemetry(Bytes bytes, std::uint32_t format) {
  std::vector<Bytes> messages = {bytes};
  if (format == kBatchedFormat) {
    auto batch = read_batch(bytes);
    if (!batch) return hub_fail(kArgumentInvalid, "Not a batch of messages: " + std::string(batch.error().where));
    messages = *std::move(batch);
  }
  std::vector<TelemetryRecord> out;
  std::size_t total = 0;
  for (const auto message : messages) {
    auto record = read_one(message);
    if (!record) return std::unexpected(record.error());
    total += counted_bytes(*record);
    if (total > kMessageBytesMax) return hub_fail(kTooLarge, "A message is at most 256 KB with its properties.");
    out.push_back(*std::move(record));
  }
  return out;
}

journal::Record TelemetryRecord::as_record(const DeviceGrant& grant, Timestamp now) {
  stamped_.clear();
  stamped_.push_back({"iothub-connection-auth-method", grant.auth_method});
  for (const auto& [name, value] : properties) stamped_.push_back({name, value});
  return {.kind = journal::RecordKind::message,
          .partition = partition_of(grant.identity),
          .enqueued = now,
          .identity = grant.identity,
          .properties = stamped_,
          .body = body};
}

}  // namespace picket::hub::amqp
