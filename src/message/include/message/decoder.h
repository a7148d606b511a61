// Turns the body of a telemetry message into events: our JSON 3.x, the classic agents' JSON 1.0, and the
// FlatBuffers 2.x of the RTOS module. Bytes from outside are hostile until they have been through here; behind it
// nothing checks again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "message/event.h"
#include "message/event_table.h"

namespace picket::message {

/// What the transport says about the body; all may be empty.
struct ContentInfo {
  std::string_view content_encoding;  ///< "", identity, gzip, deflate, zstd (any case).
  std::string_view content_type;      ///< Recorded by the hub, not needed here.
  std::string_view mti;               ///< Property `mti`: MAJOR.MINOR-ENC-SRC-TYPE; empty means JSON.
};

/// Bounds of one message. Exceeding one of the first five fails the whole message; items_max rejects the event.
struct Limits {
  std::size_t decoded_bytes_max = std::size_t{2} << 20;
  std::size_t ratio_max = 50;  ///< Decoded over encoded size; small bodies may always reach ratio_free_bytes.
  std::size_t ratio_free_bytes = std::size_t{64} << 10;
  std::size_t depth_max = 32;
  std::size_t events_max = 8'192;
  std::size_t items_max = 8'192;  ///< Payload items of all events together.
};

/// Longest Id and TimestampLocal, bytes: both are repeated in every item. Longest event name.
inline constexpr std::size_t kIdBytesMax = 64;
inline constexpr std::size_t kTimestampBytesMax = 48;
inline constexpr std::size_t kNameBytesMax = 128;

using Value = std::variant<std::string_view, std::int64_t, double, bool, Timestamp>;

/// A promoted value, converted to its column's type (info(field).type).
struct FieldValue {
  Field field;
  /// The JSON value has the column's own type and form, so that column and JSON path give the same answer. Otherwise
  /// (a number sent as text, a key sent twice) the value is for detection only and the column must stay null.
  bool exact;
  Value value;
};

/// One row of SecurityIoTRawEvent.
struct Item {
  /// EventDetails: minified JSON object of the payload item, every number and string as it was written, with
  /// TimestampLocal and EventId added where the payload has none of its own.
  std::string_view details;
  std::vector<FieldValue> fields;
  /// Bit n: column n of the event's table (TableInfo::columns) is null although the JSON has such a key.
  std::uint64_t inexact = 0;
};

struct Event {
  std::string_view id;
  std::string_view name;  ///< RawEventName as it goes to the tables.
  EventKind kind = EventKind::Unknown;
  Category category = Category::Triggered;
  EventType type = EventType::Security;
  bool is_empty = false;             ///< The payload has no item; `items` then has one that only carries time and id.
  bool aggregated = false;           ///< Category was "Aggregated" (classic agents).
  Timestamp timestamp_utc;           ///< As the device said it: not corrected, not clamped.
  std::string_view timestamp_local;  ///< Raw text.
  std::string_view payload_schema_version;
  std::vector<Item> items;  ///< Never empty.
};

/// An event that could not be used; the others of the message stand.
struct RejectedEvent {
  std::size_t index;  ///< In the message's list of events.
  Error error;        ///< `where` names the member, `offset` counts from the beginning of the decoded body.
};

enum class Encoding : std::uint8_t { json, flatbuffers };

/// A decoded message. Move-only: every view in it points into memory that it owns.
struct SecurityMessage {
  Encoding encoding = Encoding::json;
  std::string_view schema_version;
  std::string_view agent_version;
  std::string_view agent_id;  ///< For display; never an identity.
  std::optional<Timestamp> sent_utc;
  std::string_view boot_id;
  std::optional<std::int64_t> monotonic_ms;
  std::string_view stream_epoch;          ///< Empty: the sender has no stream.
  std::optional<std::uint64_t> sequence;  ///< Set together with stream_epoch.
  std::vector<Event> events;
  std::vector<std::size_t> event_index;  ///< Place of each of `events` in the received list: part of the row id.
  std::vector<RejectedEvent> rejected;
  std::uint64_t unknown_enum_values = 0;  ///< FlatBuffers values outside the published enums, kept as numbers.

  SecurityMessage();
  ~SecurityMessage();
  SecurityMessage(SecurityMessage&&) noexcept;
  SecurityMessage& operator=(SecurityMessage&&) noexcept;

  class Arena;
  std::unique_ptr<Arena> arena;
};

/// Decodes messages one after another and keeps its buffers in between (at most a few times decoded_bytes_max).
/// One thread at a time; the messages it returned outlive it.
class Decoder {
 public:
  explicit Decoder(Limits limits = {});
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  /// Failures of the whole message, by `where`:
  /// - message.encoding: unsupported (content encoding not known) or malformed (broken stream)
  /// - message.size, message.ratio: limit_exceeded
  /// - message.mti: malformed or unsupported
  /// - message.json: malformed, with the offset of the first wrong byte
  /// - message.json.depth: limit_exceeded; message.json.root: malformed, JSON but not an object
  /// - message.flatbuffers and below: malformed (an offset or a length leaves the buffer) or limit_exceeded
  /// - message.schema_version: unsupported, or there is none
  /// - message.{sent,boot_id,stream,agent_id,agent_version}: malformed, or limit_exceeded (more than 128 bytes)
  /// - message.events: malformed (no list of events, or an empty one) or limit_exceeded
  ///
  /// An event that is not usable is in `rejected` with message.event or message.event.{id,name,time,payload,items}; if
  /// all of them are, the message still decodes, with no events.
  [[nodiscard]] Result<SecurityMessage> decode(Bytes body, const ContentInfo& content);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Undoes a content encoding within the limits; for whoever needs the body before decode (routes on $body).
[[nodiscard]] Result<Buffer> decompress(Bytes body, std::string_view content_encoding, const Limits& limits = {});

}  // namespace picket::message
