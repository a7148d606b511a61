#include "message/message_builder.h"

#include <cstdlib>

#include "base/core/check.h"

namespace picket::message {
namespace {

constexpr int kOffsetMinutesMax = 23 * 60 + 59;

// RFC 3339 with the device's offset: the UTC form of the shifted time, its Z replaced.
std::string format_local(Timestamp time, int offset_minutes) {
  if (offset_minutes < -kOffsetMinutesMax || offset_minutes > kOffsetMinutesMax) offset_minutes = 0;
  std::string text = format_rfc3339(time + Duration::minutes(offset_minutes));
  text.pop_back();
  const int minutes = std::abs(offset_minutes);
  text.push_back(offset_minutes < 0 ? '-' : '+');
  for (const int part : {minutes / 60, minutes % 60}) {
    text.push_back(static_cast<char>('0' + part / 10));
    text.push_back(static_cast<char>('0' + part % 10));
    text.push_back(':');
  }
  text.pop_back();
  return text;
}

}  // namespace

std::string_view to_string(Category category) { return category == Category::Periodic ? "Periodic" : "Triggered"; }

std::string_view to_string(EventType type) {
  switch (type) {
    case EventType::Security:
      return "Security";
    case EventType::Operational:
      return "Operational";
    case EventType::Diagnostic:
      return "Diagnostic";
  }
  return "";
}

std::string encode_event(const EventName& event, const EventStamp& stamp, std::string_view items) {
  JsonWriter json;
  json.begin_object();
  json.key("Id").value(stamp.id);
  json.key("TimestampLocal").value(format_local(stamp.time, stamp.utc_offset_minutes));
  json.key("TimestampUTC").value(stamp.time);
  json.key("Category").value(to_string(event.category));
  json.key("Name").value(event.name);
  json.key("EventType").value(to_string(event.type));
  json.key("IsEmpty").value(items.empty());
  json.key("PayloadSchemaVersion").value(kSchemaVersion);
  json.key("Payload").begin_array();
  if (!items.empty()) json.raw(items);
  json.end_array();
  json.end_object();
  return json.take();
}

bool MessageBuilder::add(std::string_view event) {
  const std::size_t used = size_bytes();
  if (used >= size_max_ || event.size() + 1 > size_max_ - used) return false;
  if (count_ > 0) events_.push_back(',');
  events_ += event;
  ++count_;
  return true;
}

std::string MessageBuilder::finish(const Envelope& envelope) {
  JsonWriter json;
  json.begin_object();
  json.key("AgentVersion").value(envelope.agent_version);
  json.key("AgentId").value(envelope.agent_id);
  json.key("MessageSchemaVersion").value(kSchemaVersion);
  json.key("SentUtc").value(envelope.sent);
  json.key("BootId").value(envelope.boot_id);
  json.key("MonotonicMs").value(envelope.monotonic_ms);
  json.key("StreamEpoch").value(envelope.stream_epoch);
  json.key("Sequence").value(envelope.sequence);
  CHECK(json.text().size() + 16 <= kEnvelopeBytesMax, "the texts of an envelope are short");
  json.key("Events").begin_array();
  if (!events_.empty()) json.raw(events_);
  json.end_array();
  json.end_object();
  events_.clear();
  count_ = 0;
  return json.take();
}

}  // namespace picket::message
