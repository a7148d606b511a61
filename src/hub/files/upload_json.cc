#include <simdjson.h>

#include "base/core/json_writer.h"
#include "hub/files.h"

namespace picket::hub {
namespace {

constexpr std::size_t kRequestBytesMax = 16 * 1024;

auto invalid(std::string_view text) { return hub_fail(kArgumentInvalid, std::string(text)); }

/// Absent or null: empty. Another type: an error.
HubResult<std::string> text_of(simdjson::dom::object object, std::string_view name) {
  simdjson::dom::element element;
  if (object.at_key(name).get(element) != simdjson::SUCCESS || element.is_null()) return std::string();
  std::string_view text;
  if (element.get(text) != simdjson::SUCCESS) return invalid("A field of the body has the wrong type.");
  return std::string(text);
}

HubResult<simdjson::dom::object> object_of(simdjson::dom::parser& parser, std::string_view body) {
  simdjson::dom::object object;
  if (body.size() > kRequestBytesMax) return hub_fail(kTooLarge, "The body is too large.");
  if (parser.parse(simdjson::padded_string(body)).get(object) != simdjson::SUCCESS) {
    return invalid("The body is no JSON object.");
  }
  return object;
}

}  // namespace

std::string to_json(const UploadTicket& ticket) {
  JsonWriter json;
  json.begin_object()
      .key("correlationId")
      .value(ticket.correlation_id)
      .key("hostName")
      .value(ticket.host_name)
      .key("containerName")
      .value(ticket.container_name)
      .key("blobName")
      .value(ticket.blob_name)
      .key("sasToken")
      .value(ticket.sas_token);
  return json.end_object().take();
}

std::string to_json(const FileNotification& notification) {
  JsonWriter json;
  json.begin_object()
      .key("deviceId")
      .value(notification.device_id)
      .key("blobUri")
      .value(notification.blob_uri)
      .key("blobName")
      .value(notification.blob_name)
      .key("lastUpdatedTime")
      .value(notification.last_updated)
      .key("blobSizeInBytes")
      .value(notification.size_bytes)
      .key("enqueuedTimeUtc")
      .value(notification.enqueued);
  return json.end_object().take();
}

HubResult<std::string> parse_upload_request(std::string_view body) {
  simdjson::dom::parser parser;
  const auto object = object_of(parser, body);
  if (!object) return std::unexpected(object.error());
  auto name = text_of(*object, "blobName");
  if (name && name->empty()) return invalid("blobName is missing.");
  return name;
}

HubResult<UploadResult> parse_upload_result(std::string_view correlation_in_path, std::string_view body) {
  simdjson::dom::parser parser;
  const auto object = object_of(parser, body);
  if (!object) return std::unexpected(object.error());
  auto correlation = text_of(*object, "correlationId");
  auto description = text_of(*object, "statusDescription");
  if (!correlation) return std::unexpected(correlation.error());
  if (!description) return std::unexpected(description.error());
  UploadResult out{.correlation_id = correlation_in_path.empty() ? *correlation : std::string(correlation_in_path),
                   .success = false,
                   .status_code = 0,
                   .description = *description};
  if (out.correlation_id.empty()) return invalid("The correlation id is missing.");
  if (object->at_key("isSuccess").get(out.success) != simdjson::SUCCESS) return invalid("isSuccess is true or false.");
  simdjson::dom::element code;
  if (object->at_key("statusCode").get(code) == simdjson::SUCCESS && !code.is_null() &&
      code.get(out.status_code) != simdjson::SUCCESS) {
    return invalid("statusCode is a number.");
  }
  return out;
}

}  // namespace picket::hub
