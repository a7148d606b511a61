// Makes event records from payloads of schema/events.yaml: one that is counted, or a snapshot of many items.
#pragma once

#include <string>
#include <string_view>

#include "agent/collector.h"
#include "message/events.h"

namespace picket::agent {

/// Sends one happening that is counted with its like; see EventRecord for `identity` and the sums. Leave out the keys
/// of hits and sums in `item`. False, and nothing sent: the item is longer than kEventItemsMax; count it as dropped.
template <class Payload>
bool emit_counted(RecordSink& sink, Moment time, Origin origin, Priority priority, std::string_view identity,
                  const Payload& item, EventRecord sums = {}) {
  JsonWriter json;
  message::append_payload(json, item);
  const std::string text = json.take();
  if (text.size() > kEventItemsMax) return false;
  sums.time = time;
  sums.origin = origin;
  sums.event = Payload::kEvent;
  sums.priority = priority;
  sums.identity = identity;
  sums.items = text;
  sink.emit(sums);
  return true;
}

/// Collects the items of one snapshot and sends them in events of at most kEventBytes, so that a long list needs little
/// memory. All events of a snapshot have its time. finish() ends it: an empty snapshot is an empty event.
template <class Payload>
class SnapshotEvents {
 public:
  static constexpr std::size_t kEventBytes = 24 << 10;

  SnapshotEvents(RecordSink& sink, Moment time, Origin origin, Priority priority)
      : sink_(sink), time_(time), origin_(origin), priority_(priority) {}

  /// False, and nothing added: the item is longer than kEventItemsMax; count it as dropped.
  bool add(const Payload& item) {
    JsonWriter json;
    message::append_payload(json, item);
    const std::string text = json.take();
    if (text.size() > kEventItemsMax) return false;
    if (!items_.empty() && items_.size() + 1 + text.size() > kEventBytes) send();
    if (!items_.empty()) items_.push_back(',');
    items_ += text;
    return true;
  }
  void finish() {
    if (!items_.empty() || !sent_) send();
  }

 private:
  void send() {
    sink_.emit(EventRecord{
        .time = time_, .origin = origin_, .event = Payload::kEvent, .priority = priority_, .items = items_});
    items_.clear();
    sent_ = true;
  }

  RecordSink& sink_;
  Moment time_;
  Origin origin_;
  Priority priority_;
  std::string items_;
  bool sent_ = false;
};

}  // namespace picket::agent
