// How an operation of the hub fails: one row of IoT Hub's table of codes.
#pragma once

#include <expected>
#include <functional>
#include <string>

#include "base/core/result.h"

namespace picket::hub {

/// `code` is IoT Hub's six-digit code (schema/errors.json): its first three digits are the HTTP status. `message` is for
/// people: what, where, what to do; no secrets.
struct HubError {
  int code = 500001;
  std::string message;

  [[nodiscard]] int status() const { return code / 1000; }
  friend bool operator==(const HubError&, const HubError&) = default;
};

inline namespace codes {
inline constexpr int kArgumentInvalid = 400004;
inline constexpr int kEvictedByNewConnection = 400027;
inline constexpr int kUnauthorized = 401003;
inline constexpr int kQuotaExceeded = 403002;
inline constexpr int kCommandQueueFull = 403004;
inline constexpr int kUploadsTooMany = 403006;
inline constexpr int kDeviceDisabled = 403012;
inline constexpr int kDeviceNotFound = 404001;
inline constexpr int kModuleNotFound = 404010;
inline constexpr int kConfigurationNotFound = 404011;
inline constexpr int kJobNotFound = 404012;
inline constexpr int kNotOnline = 404103;
inline constexpr int kConnectionLost = 404104;
inline constexpr int kDeviceExists = 409001;
inline constexpr int kLinkConflict = 409002;
inline constexpr int kModuleExists = 409301;
inline constexpr int kEtagMismatch = 412001;
inline constexpr int kLockLost = 412002;
inline constexpr int kTooLarge = 413001;
inline constexpr int kThrottled = 429001;
inline constexpr int kInternal = 500001;
inline constexpr int kBadDeviceResponse = 502001;
inline constexpr int kUnavailable = 503003;
inline constexpr int kGatewayTimeout = 504101;
}  // namespace codes

template <class T = void>
using HubResult = std::expected<T, HubError>;

/// Called once, from any thread, also before the call that took it returns. Must be quick.
template <class T = void>
using Done = std::move_only_function<void(HubResult<T>)>;

inline std::unexpected<HubError> hub_fail(int code, std::string message) {
  return std::unexpected(HubError{code, std::move(message)});
}

/// A failure of a store: not_found, exists, denied and so on become IoT Hub's codes, the rest 500001 or 503003.
HubError from_store(const Error& error, std::string_view object);

}  // namespace picket::hub
