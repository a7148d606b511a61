// A batch of messages in one body: application/vnd.microsoft.iothub.json (spec/hub.md 1.2). Pure.
#pragma once

#include <string_view>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/result.h"
#include "mqtt/property_bag.h"

namespace picket::hub {

inline constexpr std::string_view kBatchContentType = "application/vnd.microsoft.iothub.json";
inline constexpr std::size_t kBatchMessagesMax = 500;
/// Of the body; base64 and names come on top of the 256 KB of messages.
inline constexpr std::size_t kBatchBytesMax = 512U << 10;

struct BatchMessage {
  Buffer body;
  mqtt::PropertyBag properties;
};

/// `[{"body":"<base64>","base64Encoded":true,"properties":{"iothub-app-p":"v"}}]`. A body is base64 unless
/// "base64Encoded" is false. Errors: malformed (JSON, base64, a property), limit_exceeded (kBatchMessagesMax,
/// mqtt::kPropertiesMax).
Result<std::vector<BatchMessage>> parse_batch(std::string_view text);

}  // namespace picket::hub
