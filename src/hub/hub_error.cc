#include "hub/hub_error.h"

#include <fmt/format.h>

namespace picket::hub {

HubError from_store(const Error& error, std::string_view object) {
  switch (error.code) {
    case Errc::not_found:
      return {kDeviceNotFound, fmt::format("{} does not exist.", object)};
    case Errc::exists:
      return {kDeviceExists, fmt::format("{} exists already.", object)};
    case Errc::malformed:
    case Errc::truncated:
      return {kArgumentInvalid, fmt::format("{}: {} is not valid.", object, error.where)};
    case Errc::limit_exceeded:
      return {kTooLarge, fmt::format("{}: {} is over its limit.", object, error.where)};
    case Errc::denied:
      return {kUnauthorized, fmt::format("{}: not allowed.", object)};
    case Errc::unavailable:
    case Errc::io:
      return {kUnavailable, fmt::format("{}: the store does not answer now. Try again.", object)};
    default:
      return {kInternal, fmt::format("{}: internal failure at {}.", object, error.where)};
  }
}

}  // namespace picket::hub
