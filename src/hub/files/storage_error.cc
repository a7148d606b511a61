#include "hub/files.h"

namespace picket::hub {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else if (static_cast<unsigned char>(c) >= ' ') {
      out += c;
    }
  }
  return out;
}

std::string_view code_of(const HubError& error) {
  switch (error.code) {
    case kUnauthorized:
      return "AuthenticationFailed";
    case kDeviceNotFound:
      return "BlobNotFound";
    case kTooLarge:
      return "RequestBodyTooLarge";
    case kQuotaExceeded:
      return "AccountIsFull";
    case kArgumentInvalid:
      return "InvalidInput";
    case kUnavailable:
      return "ServerBusy";
    default:
      return "InternalError";
  }
}

}  // namespace

StorageError storage_error(const HubError& error) {
  StorageError out{error.code == kUnauthorized ? 403 : error.status(), std::string(code_of(error)), {}};
  out.xml = R"(<?xml version="1.0" encoding="utf-8"?><Error><Code>)" + out.code + "</Code><Message>" +
            escaped(error.message) + "</Message></Error>";
  return out;
}

}  // namespace picket::hub
