#include "posture/device_items.h"

namespace picket::pipeline {
namespace {

auto place_of(std::vector<KnownItem>& items, const std::string& key) {
  return std::ranges::lower_bound(items, key, {}, &KnownItem::key);
}

}  // namespace

std::string change_of(const DetectorEvent& event) {
  const auto details = event.details();
  const auto extra = details ? details->find("ExtraDetails") : std::nullopt;
  const auto change = extra ? extra->find("Change") : std::nullopt;
  return change ? change->text().value_or("") : std::string();
}

void SnapshotDetector::see(const HubRecord& record, HubFindings& findings) {
  if (!record.audit || record.kind != "device.delete") return;
  const std::string key = state_key(record.device.hub, record.device.device_id);
  if (const Entry* device = table_.find(key)) {
    for (const KnownItem& item : device->items) gone(*device, item, record.enqueued, findings);
  }
  table_.erase(key);
}

SnapshotDetector::Entry& SnapshotDetector::entry_of(const DetectorEvent& event) {
  const std::string key = state_key(event.device.hub, event.device.device_id);
  Entry& out = table_.touch(key);
  if (out.generation_id != event.device.generation_id) out = {};  // another device of that name
  out.hub = event.device.hub;
  out.device_id = event.device.device_id;
  out.module_id = event.device.module_id;
  out.generation_id = event.device.generation_id;
  out.last = event.enqueued;
  dirty_.insert(key);
  return out;
}

void SnapshotDetector::see_event(const DetectorEvent& event, HubFindings& findings) {
  if (!is_mine(event.event.kind)) return;
  std::string key = key_of(event);
  if (key.empty()) return;
  Entry& device = entry_of(event);
  const std::string change = change_of(event);
  if (event.time < device.whole) return;  // older than a whole snapshot, which has said it all
  if (change.empty() && event.time > device.whole) {
    device.whole = event.time;
    device.whole_arrived = event.enqueued;
    unsettled_.insert(state_key(device.hub, device.device_id));
  }
  put(device, event, std::move(key), change == "removed" ? std::string() : text_of(event), findings);
  keep_bound();
}

void SnapshotDetector::put(Entry& device, const DetectorEvent& event, std::string key, std::string text,
                           HubFindings& findings) {
  const auto at = place_of(device.items, key);
  const bool known = at != device.items.end() && at->key == key;
  if (known && event.time < at->time) return;
  const std::string before = known ? at->text : std::string();
  if (before != text) changed(event, key, before, text, findings);
  if (text.empty()) {
    if (known) device.items.erase(at);
  } else if (known) {
    at->text = std::move(text);
    at->time = event.time;
  } else if (device.items.size() < kItemsMax) {
    device.items.insert(at, {std::move(key), std::move(text), event.time});
  } else {
    count_evicted(1);
  }
}

void SnapshotDetector::see_empty(const DetectorEvent& event, HubFindings& findings) {
  if (!is_mine(event.event.kind)) return;
  Entry& device = entry_of(event);
  if (event.time < device.whole) return;
  device.whole = event.time;
  device.whole_arrived = event.enqueued;
  for (const KnownItem& item : device.items) gone(device, item, event.enqueued, findings);
  device.items.clear();
  keep_bound();
}

void SnapshotDetector::message_done(HubFindings& findings) {
  for (const std::string& key : dirty_) {
    if (const Entry* device = table_.find(key)) judge(*device, findings);
  }
  dirty_.clear();
}

void SnapshotDetector::minute(Timestamp now, HubFindings& findings) {
  if (!unsettled_known_) {
    for (const auto& [key, device] : table_.entries()) unsettled_.insert(key);
    unsettled_known_ = true;
  }
  for (auto key = unsettled_.begin(); key != unsettled_.end();) {
    const Entry* known = table_.find(*key);
    if (known != nullptr && known->whole_arrived + kSettled > now) {
      ++key;
      continue;
    }
    const auto is_old = [&](const KnownItem& item) { return item.time < known->whole; };
    if (known != nullptr && std::ranges::any_of(known->items, is_old)) {
      Entry& device = table_.touch(*key);
      for (const KnownItem& item : device.items) {
        if (item.time < device.whole) gone(device, item, now, findings);
      }
      std::erase_if(device.items, [&](const KnownItem& item) { return item.time < device.whole; });
      judge(device, findings);
    }
    key = unsettled_.erase(key);
  }
}

}  // namespace picket::pipeline
