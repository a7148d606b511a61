#include "conditions.h"

#include "base/core/random.h"
#include "hub/authentication.h"

namespace picket::hub::amqp {
namespace {

struct ReasonText {
  std::string_view condition;
  int code;
  std::string_view text;
};

ReasonText text_of(DisconnectReason reason) {
  switch (reason) {
    case DisconnectReason::evicted:
      return {"amqp:connection:forced", kEvictedByNewConnection, "The same identity has connected again."};
    case DisconnectReason::token_expired:
      return {"amqp:unauthorized-access", kUnauthorized, "The token has expired."};
    case DisconnectReason::revoked:
      return {"amqp:unauthorized-access", kUnauthorized, "The identity was disabled or deleted, or its keys changed."};
    case DisconnectReason::topic_denied:
      return {"amqp:unauthorized-access", kUnauthorized, "Not authorised for this address."};
    case DisconnectReason::message_too_large:
      return {"amqp:link:message-size-exceeded", kTooLarge, "The message is too large."};
    case DisconnectReason::bad_properties:
      return {"com.microsoft:argument-error", kArgumentInvalid, "A property cannot be taken."};
    case DisconnectReason::throttled:
      return {"com.microsoft:device-container-throttled", kThrottled, "Too many requests; try again later."};
    case DisconnectReason::storage:
      return {"amqp:internal-error", kUnavailable, "The message could not be stored in time."};
    case DisconnectReason::shutdown:
      return {"amqp:connection:forced", kUnavailable, "The hub is stopping."};
    case DisconnectReason::keep_alive:
    case DisconnectReason::slow_reader:
      return {"amqp:resource-limit-exceeded", kConnectionLost, "The client does not keep up."};
    default:
      return {"amqp:connection:forced", 0, "The connection is closed."};
  }
}

}  // namespace

int told_code(DisconnectReason reason) { return text_of(reason).code; }

int log_code(DisconnectReason reason) {
  switch (reason) {
    case DisconnectReason::evicted:
      return kEvictedByNewConnection;
    case DisconnectReason::token_expired:
    case DisconnectReason::topic_denied:
      return kUnauthorized;
    case DisconnectReason::peer_gone:
    case DisconnectReason::keep_alive:
      return kConnectionLost;
    default:
      return 0;
  }
}

std::string tracked(int code, std::string_view text, Timestamp now) {
  if (code == 0) return std::string(text);
  return "ErrorCode:" + std::to_string(code) + ";" + std::string(text) + " Tracking ID:" + random_uuid() +
         "-TimeStamp:" + format_rfc3339(now);
}

Condition condition_of(DisconnectReason reason, std::string_view detail) {
  const auto text = text_of(reason);
  std::string description(text.text);
  if (!detail.empty()) description.append(" (").append(detail).append(")");
  return {std::string(text.condition), std::move(description), {}};
}

Condition condition_of(const HubError& error) {
  const auto name = [&]() -> std::string_view {
    switch (error.code) {
      case kDeviceExists:
      case kModuleExists:
        return "com.microsoft:device-already-exists";
      case kLockLost:
        return "com.microsoft:message-lock-lost";
      case kCommandQueueFull:
      case kQuotaExceeded:
        return "amqp:resource-limit-exceeded";
      default:
        break;
    }
    switch (error.status()) {
      case 400:
        return "com.microsoft:argument-error";
      case 401:
        return "amqp:unauthorized-access";
      case 403:
        return "amqp:not-allowed";
      case 404:
        return "amqp:not-found";
      case 412:
        return "com.microsoft:precondition-failed";
      case 413:
        return "amqp:link:message-size-exceeded";
      case 429:
        return "com.microsoft:device-container-throttled";
      case 501:
        return "amqp:not-implemented";
      case 503:
      case 504:
        return "com.microsoft:timeout";
      default:
        return "amqp:internal-error";
    }
  }();
  return {std::string(name), error.message, {}};
}

}  // namespace picket::hub::amqp
