// Makes security messages 3.0 (schema/security-message-3.0.json) on a device: events first, envelope last.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/core/json_writer.h"
#include "base/core/time.h"
#include "message/event.h"

namespace picket::message {

inline constexpr std::string_view kSchemaVersion = "3.0";
/// Default and published range of the size of one message, bytes (spec/security-message.md, section 2).
inline constexpr std::size_t kMessageBytesDefault = 204'800;
inline constexpr std::size_t kMessageBytesMin = 8'192;
inline constexpr std::size_t kMessageBytesMax = 262'144;

/// What distinguishes one event from the next of its kind.
struct EventStamp {
  std::string_view id;         ///< UUID, 36 characters.
  Timestamp time;              ///< When it happened; first time of an aggregated record.
  int utc_offset_minutes = 0;  ///< Of the device's local time, -1439..1439; goes into TimestampLocal.
};

/// Encodes one event with `items` payload objects, already joined by commas ("" for an empty event).
/// The result is one JSON object without line breaks: fit for a spool, and for MessageBuilder::add.
std::string encode_event(const EventName& event, const EventStamp& stamp, std::string_view items);

/// Encodes one event with one payload item: encode_event(stamp, ProcessCreate{...}).
template <class Payload>
std::string encode_event(const EventStamp& stamp, const Payload& item) {
  JsonWriter json;
  append_payload(json, item);
  return encode_event(Payload::kEvent, stamp, json.text());
}

/// Encodes one event with all items of a snapshot; no item makes an empty event.
template <class Payload>
std::string encode_event(const EventStamp& stamp, std::span<const Payload> items) {
  std::string joined;
  for (const Payload& item : items) {
    JsonWriter json;
    append_payload(json, item);
    if (!joined.empty()) joined.push_back(',');
    joined += json.text();
  }
  return encode_event(Payload::kEvent, stamp, joined);
}

/// Members of the envelope; views are borrowed for the call only.
struct Envelope {
  std::string_view agent_version;
  std::string_view agent_id;  ///< UUID of the installation, 36 characters.
  Timestamp sent;
  std::string_view boot_id;
  std::int64_t monotonic_ms = 0;
  std::string_view stream_epoch;
  std::uint64_t sequence = 0;  ///< From 1; stays when the message is sent again.
};

/// Collects encoded events up to a size, then wraps them. One thread.
class MessageBuilder {
 public:
  /// `size_max` bounds the finished message in bytes, before any compression.
  explicit MessageBuilder(std::size_t size_max = kMessageBytesDefault) : size_max_(size_max) {}

  /// Adds one event made by encode_event. False: it does not fit any more; nothing is changed, and the message is
  /// full unless it is empty(): then this event alone is larger than a message may be.
  [[nodiscard]] bool add(std::string_view event);
  [[nodiscard]] bool empty() const { return count_ == 0; }
  [[nodiscard]] std::size_t count() const { return count_; }
  /// Size of the finished message, at most.
  [[nodiscard]] std::size_t size_bytes() const { return kEnvelopeBytesMax + events_.size(); }
  /// The message; the builder is empty afterwards. A CHECK refuses an envelope whose texts exceed kEnvelopeBytesMax.
  [[nodiscard]] std::string finish(const Envelope& envelope);

 private:
  static constexpr std::size_t kEnvelopeBytesMax = 1'024;
  std::size_t size_max_;
  std::size_t count_ = 0;
  std::string events_;
};

}  // namespace picket::message
