// What must hold for every message that decodes, whatever it was made of.
#pragma once

#include <cstdlib>
#include <set>

#include "base/core/encoding.h"
#include "json_text.h"
#include "message/decoder.h"

namespace picket::message {

inline void claim(bool holds) {
  if (!holds) std::abort();
}

inline void check_item(const Event& event, const Item& item) {
  bool too_deep = false;
  claim(item.details.starts_with('{') && !find_json_error(item.details, 64, too_deep));
  std::uint64_t exact = 0;
  for (const FieldValue& field : item.fields) {
    const auto column = column_of(info(event.kind).table, field.field);
    claim(column.has_value());
    if (!field.exact) continue;
    const std::uint64_t bit = std::uint64_t{1} << *column;
    claim((exact & bit) == 0 && (item.inexact & bit) == 0);  // one exact value a column, and never also doubtful
    exact |= bit;
  }
}

inline void check_message(const SecurityMessage& message, const Limits& limits) {
  std::size_t items = 0;
  std::set<std::size_t> places;
  claim(message.events.size() == message.event_index.size());
  claim(message.events.size() + message.rejected.size() <= limits.events_max);
  claim(message.sequence.has_value() == !message.stream_epoch.empty());
  for (std::size_t i = 0; i < message.events.size(); ++i) {
    const Event& event = message.events[i];
    claim(places.insert(message.event_index[i]).second);
    claim(!event.items.empty() && !event.id.empty() && event.id.size() <= kIdBytesMax && !event.name.empty());
    if (!event.is_empty) items += event.items.size();
    for (const Item& item : event.items) check_item(event, item);
  }
  for (const RejectedEvent& rejected : message.rejected) claim(places.insert(rejected.index).second);
  claim(items <= limits.items_max);
}

}  // namespace picket::message
