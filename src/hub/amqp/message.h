// AMQP 1.0 messages (part 3.2: message format) as values. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "value.h"

namespace picket::hub::amqp {

/// What the hub reads and writes of a message. Sections it has no use for (header, delivery annotations, footer) are
/// passed over.
struct Message {
  Map annotations;  ///< message-annotations; keys are symbols.
  // properties
  Value message_id;  ///< String, uuid, ulong or binary: goes back as it came.
  std::string user_id;
  std::string to;
  std::string subject;
  std::string reply_to;
  Value correlation_id;
  std::string content_type;
  std::string content_encoding;
  std::optional<Timestamp> expiry;
  Map application;  ///< application-properties
  // body: data sections joined, or one amqp-value
  Buffer data;
  std::optional<Value> value;

  /// The body as bytes: data, or the text of a string or binary value.
  [[nodiscard]] Bytes body() const;
};

inline constexpr std::size_t kSectionsMax = 64;  ///< Of a message.

/// Errors: truncated, malformed (no sections, sections that are none), limit_exceeded (kSectionsMax, and those of
/// read_value).
Result<Message> read_message(Bytes bytes);

/// Microsoft's batched message format: each data section holds one message.
inline constexpr std::uint32_t kBatchedFormat = 0x80013700;
inline constexpr std::size_t kBatchMessagesMax = 1000;
/// The messages of a batch, as views into `bytes`. Errors: as read_message, limit_exceeded (kBatchMessagesMax),
/// malformed (no message).
Result<std::vector<Bytes>> read_batch(Bytes bytes);

/// Sections in their order; those that are empty are left out, but there is always a body.
Buffer write_message(const Message& message);

}  // namespace picket::hub::amqp
