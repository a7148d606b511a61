#include "reply.h"

#include <algorithm>
#include <array>

#include "base/core/json_writer.h"
#include "base/core/random.h"

namespace picket::hub {
namespace {

struct CodeName {
  int code;
  std::string_view name;
};
// Microsoft.Azure.Devices.Common.Exceptions.ErrorCode, as its documentation and SDKs spell them.
constexpr std::array kNames = {
    CodeName{codes::kArgumentInvalid, "ArgumentInvalid"},
    CodeName{codes::kUnauthorized, "IotHubUnauthorizedAccess"},
    CodeName{codes::kQuotaExceeded, "IotHubQuotaExceeded"},
    CodeName{codes::kCommandQueueFull, "DeviceMaximumQueueDepthExceeded"},
    CodeName{codes::kUploadsTooMany, "DeviceMaximumActiveFileUploadLimitExceeded"},
    CodeName{codes::kDeviceDisabled, "DeviceDisabled"},
    CodeName{codes::kDeviceNotFound, "DeviceNotFound"},
    CodeName{codes::kModuleNotFound, "ModuleNotFound"},
    CodeName{codes::kConfigurationNotFound, "ConfigurationNotFound"},
    CodeName{codes::kJobNotFound, "JobNotFound"},
    CodeName{codes::kNotOnline, "DeviceNotOnline"},
    CodeName{codes::kConnectionLost, "DeviceConnectionClosedRemotely"},
    CodeName{codes::kDeviceExists, "DeviceAlreadyExists"},
    CodeName{codes::kModuleExists, "ModuleAlreadyExistsOnDevice"},
    CodeName{codes::kEtagMismatch, "PreconditionFailed"},
    CodeName{codes::kLockLost, "DeviceMessageLockLost"},
    CodeName{codes::kTooLarge, "MessageTooLarge"},
    CodeName{codes::kThrottled, "ThrottlingException"},
    CodeName{codes::kInternal, "ServerError"},
    CodeName{codes::kBadDeviceResponse, "BadDeviceResponse"},
    CodeName{codes::kUnavailable, "ServiceUnavailable"},
    CodeName{codes::kGatewayTimeout, "GatewayTimeout"},
    CodeName{kNotFound, "NotFound"},
    CodeName{kMethodNotAllowed, "MethodNotAllowed"},
    CodeName{kNotOffered, "NotImplemented"},
};

/// By status, for codes without a name of their own.
std::string_view name_of_status(int status) {
  switch (status) {
    case 400:
      return "ArgumentInvalid";
    case 401:
      return "IotHubUnauthorizedAccess";
    case 409:
      return "Conflict";
    case 412:
      return "PreconditionFailed";
    case 429:
      return "ThrottlingException";
    case 503:
      return "ServiceUnavailable";
    default:
      return "GenericError";
  }
}

}  // namespace

std::string_view name_of(int code) {
  const auto* found = std::ranges::find(kNames, code, &CodeName::code);
  return found == kNames.end() ? name_of_status(code / 1000) : found->name;
}

http::Response error_reply(const HubError& error) {
  const std::string_view name = name_of(error.code);
  JsonWriter body;
  // SDKs split the message at ';' into the code and the text for people.
  std::string text = error.message.empty() ? std::string(name) : error.message;
  std::ranges::replace(text, ';', ',');
  const std::string tracking = random_uuid();
  body.begin_object().key("Message").value("ErrorCode:" + std::string(name) + ";" + text);
  body.key("ExceptionMessage").value("Tracking ID:" + tracking);
  // The newer form of the same: some answers of IoT Hub have this one only, with the six digits.
  body.key("errorCode").value(error.code).key("trackingId").value(tracking).end_object();
  http::Response response = json_reply(body.take(), error.status());
  response.headers.emplace_back("iothub-errorcode", name);
  if (error.status() == 429 || error.status() == 503) response.headers.emplace_back("Retry-After", "1");
  if (error.status() == 401) response.headers.emplace_back("WWW-Authenticate", "SharedAccessSignature");
  return response;
}

http::Response json_reply(std::string body, int status) {
  return http::Response::text(status, std::move(body), "application/json; charset=utf-8");
}

http::Response empty_reply(const HubResult<>& result) {
  return result ? http::Response::empty(204) : error_reply(result.error());
}

}  // namespace picket::hub
