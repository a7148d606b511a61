#include "detector.h"

#include "event_time.h"

namespace picket::pipeline {

const message::Value* DetectorEvent::value(message::Field field) const {
  for (const message::FieldValue& candidate : item.fields) {
    if (candidate.field == field) return &candidate.value;
  }
  return nullptr;
}

std::string_view DetectorEvent::text(message::Field field) const {
  const message::Value* found = value(field);
  const auto* text = found == nullptr ? nullptr : std::get_if<std::string_view>(found);
  return text == nullptr ? std::string_view{} : *text;
}

std::int64_t DetectorEvent::integer(message::Field field, std::int64_t absent) const {
  const message::Value* found = value(field);
  const auto* number = found == nullptr ? nullptr : std::get_if<std::int64_t>(found);
  return number == nullptr ? absent : *number;
}

Timestamp DetectorEvent::timestamp(message::Field field, Timestamp absent) const {
  const message::Value* found = value(field);
  const auto* raw = found == nullptr ? nullptr : std::get_if<Timestamp>(found);
  return raw == nullptr ? absent : event_time(*raw, correction, enqueued);
}

std::optional<Json> DetectorEvent::details() const {
  // The decoder has checked it; this only finds where its values are.
  auto parsed = parse_json(item.details, 64);
  return parsed ? std::optional<Json>(*parsed) : std::nullopt;
}

EvidenceRow DetectorEvent::evidence() const { return {row, std::string(event.id), time}; }

}  // namespace picket::pipeline
