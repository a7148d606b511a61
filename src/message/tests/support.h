// Words that the tests of this module share.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/encoding.h"
#include "base/core/file.h"
#include "message/decoder.h"

namespace picket::message {

inline std::string data_file(std::string_view name) {
  const auto content = read_file(std::string(PICKET_SOURCE_DIR "/src/message/tests/data/").append(name), 1 << 20);
  EXPECT_TRUE(content.has_value()) << name;
  return content.value_or(std::string{});
}

inline Result<SecurityMessage> decode(std::string_view body, ContentInfo content = {}, Limits limits = {}) {
  return Decoder(limits).decode(as_bytes(body), content);
}

/// A message 3.0 around `events`, which is a JSON list.
inline std::string message_with(std::string_view events, std::string_view more = "") {
  return std::string(R"({"AgentVersion":"1","MessageSchemaVersion":"3.0",)")
      .append(more)
      .append(R"("Events":)")
      .append(events)
      .append("}");
}

/// One event around `payload`, which is a JSON list.
inline std::string event_with(std::string_view name, std::string_view payload) {
  return std::string(
             R"({"Id":"e1","TimestampLocal":"L","TimestampUTC":"2026-01-01T00:00:00Z","Category":"Triggered","Name":")")
      .append(name)
      .append(R"(","EventType":"Security","IsEmpty":false,"PayloadSchemaVersion":"3.0","Payload":)")
      .append(payload)
      .append("}");
}

/// Decodes one item of one event; the message stays alive in `out`.
inline const Item& item_of(std::optional<SecurityMessage>& out, std::string_view name, std::string_view item) {
  auto decoded = decode(message_with("[" + event_with(name, "[" + std::string(item) + "]") + "]"));
  EXPECT_TRUE(decoded.has_value());
  out = *std::move(decoded);
  return out->events.at(0).items.at(0);
}

inline const FieldValue* find(const Item& item, Field field) {
  for (const FieldValue& value : item.fields) {
    if (value.field == field) return &value;
  }
  return nullptr;
}

inline bool is_inexact(const Item& item, Table table, Field field) {
  return (item.inexact >> *column_of(table, field) & 1) != 0;
}

MATCHER_P2(HoldsExactly, field, value, "") {
  const FieldValue* found = find(arg, field);
  return found != nullptr && found->exact && found->value == Value(value);
}
MATCHER_P2(HoldsRoughly, field, value, "") {
  const FieldValue* found = find(arg, field);
  return found != nullptr && !found->exact && found->value == Value(value);
}
MATCHER_P2(FailsWith, code, where, "") {
  return !arg.has_value() && arg.error().code == code && arg.error().where == where;
}

}  // namespace picket::message
