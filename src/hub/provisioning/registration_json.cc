#include "registration_json.h"

#include <simdjson.h>

#include "base/core/json_writer.h"
#include "base/core/random.h"

namespace picket::hub {

HubResult<RegistrationBody> parse_registration_body(std::string_view body, std::string_view registration_id) {
  RegistrationBody out;
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return out;
  if (body.size() > kProvisioningBodyBytesMax) return hub_fail(kTooLarge, "The body is too large.");
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(simdjson::padded_string(body)).get(object) != simdjson::SUCCESS) {
    return hub_fail(kArgumentInvalid, "The body is no JSON object.");
  }
  std::string_view id;
  simdjson::dom::element element;
  if (object.at_key("registrationId").get(element) == simdjson::SUCCESS && !element.is_null() &&
      (element.get(id) != simdjson::SUCCESS || id != registration_id)) {
    return hub_fail(kArgumentInvalid, "registrationId is not the one that was proven.");
  }
  if (object.at_key("tpm").get(element) == simdjson::SUCCESS && !element.is_null()) {
    return hub_fail(kArgumentInvalid, "TPM attestation is not offered.");
  }
  if (object.at_key("payload").get(element) == simdjson::SUCCESS && !element.is_null()) {
    out.payload = simdjson::minify(element);
  }
  return out;
}

std::string registration_state_json(const state::StoredRegistration& registration, std::string_view host,
                                    Reader reader) {
  JsonWriter json;
  json.begin_object().key("registrationId").value(registration.registration_id);
  json.key("createdDateTimeUtc").value(registration.created);
  if (registration.status == "assigned") {
    json.key("assignedHub").value(host).key("deviceId").value(registration.device_id);
  }
  json.key("status").value(registration.status);
  if (!registration.substatus.empty()) json.key("substatus").value(registration.substatus);
  if (registration.error_code != 0) {
    json.key("errorCode").value(registration.error_code).key("errorMessage").value(registration.error_message);
  }
  if (registration.group) json.key("enrollmentGroupId").value(registration.enrollment_id);
  json.key("lastUpdatedDateTimeUtc").value(registration.updated);
  json.key("etag").value("\"" + registration.etag + "\"");
  if (reader == Reader::service && !registration.payload.empty()) json.key("payload").raw(registration.payload);
  return json.end_object().take();
}

std::string operation_json(const state::StoredRegistration& registration, std::string_view status,
                           std::string_view state_json) {
  JsonWriter json;
  json.begin_object().key("operationId").value(registration.operation_id).key("status").value(status);
  if (!state_json.empty()) json.key("registrationState").raw(state_json);
  return json.end_object().take();
}

std::string provisioning_error_json(int code, std::string_view message, Timestamp now) {
  JsonWriter json;
  json.begin_object().key("errorCode").value(code).key("trackingId").value(random_uuid());
  json.key("message").value(message).key("timestampUtc").value(now);
  return json.end_object().take();
}

int provisioning_code(int hub_code) {
  switch (hub_code) {
    case kUnauthorized:
      return 401002;
    case kDeviceNotFound:
      return 404201;
    case kDeviceExists:
      return 409201;
    case kEtagMismatch:
      return 412202;
    default:
      return hub_code;
  }
}

}  // namespace picket::hub
