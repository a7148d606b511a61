// Answers as the SDKs read them.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "hub/hub_error.h"

namespace picket::hub {

/// Codes of this head that are not IoT Hub's: their last three digits are 0.
inline constexpr int kNotFound = 404000;
inline constexpr int kMethodNotAllowed = 405000;
inline constexpr int kNotOffered = 501000;

/// IoT Hub's word for a code, e.g. "DeviceNotFound"; the SDKs tell errors apart by it.
std::string_view name_of(int code);

/// {"Message":"ErrorCode:DeviceNotFound;text","ExceptionMessage":"Tracking ID:…","errorCode":404001,"trackingId":"…"}
/// with the status of the code.
http::Response error_reply(const HubError& error);
http::Response json_reply(std::string body, int status = 200);
/// 204, or the error.
http::Response empty_reply(const HubResult<>& result);

}  // namespace picket::hub
