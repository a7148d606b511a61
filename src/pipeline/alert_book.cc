#include "alert_book.h"

#include <algorithm>

#include "base/core/check.h"

namespace picket::pipeline {
namespace {

/// How long after its last finding an alert waits for late ones.
constexpr Duration kLateness = Duration::hours(1);

int weight(std::string_view severity) {
  return severity == "High" ? 4 : severity == "Medium" ? 3 : severity == "Low" ? 2 : severity.empty() ? 0 : 1;
}

void add_unique(std::vector<std::string>& list, std::string_view value) {
  if (std::ranges::find(list, value) == list.end()) list.emplace_back(value);
}

/// Those of what was found; where the finding names none, those of its kind of alert.
void add_techniques(AlertChange& alert, const Finding& finding, const AlertInfo& info) {
  for (const std::string_view id : finding.techniques) {
    add_unique(alert.techniques, id.substr(0, 5));
    if (id.size() > 5) add_unique(alert.sub_techniques, id);
  }
  if (!finding.techniques.empty()) return;
  for (const std::string& id : info.techniques) add_unique(alert.techniques, id);
  for (const std::string& id : info.sub_techniques) add_unique(alert.sub_techniques, id);
}

}  // namespace

void AlertBook::begin(OpenAlert& open, const Finding& finding, const Context& context, const AlertInfo& info) {
  open = OpenAlert{.window_start = finding.start};
  AlertChange& alert = open.alert;
  // A detector may raise several types for one group: each is a rule of its own.
  const std::string rule = std::string(context.rule) + "/" + info.type;
  alert.alert_id = make_alert_id(rule, context.device, finding.group_key, finding.start);
  alert.rule = context.rule;
  alert.alert_type = info.type;
  alert.display_name = info.name;
  alert.severity = info.severity(context.profile);
  alert.description = info.description;
  alert.start = finding.start;
  alert.end = finding.end;
  alert.tactics = info.tactics;
  alert.remediation = info.remediation;
  if (context.device.device_id.empty()) {  // about the hub itself
    alert.properties = {{"IoTHub", context.device.hub}};
    alert.entities = {{"iothub", {{"IoTHub", context.device.hub}}}};
    return;
  }
  alert.properties = {{"DeviceId", context.device.device_id}};
  alert.entities = {{"iotdevice", {{"DeviceId", context.device.device_id}, {"IoTHub", context.device.hub}}}};
}

void AlertBook::merge(AlertChange& alert, const Finding& finding, Profile profile) {
  if (profile == Profile::standard && weight(finding.severity) > weight(alert.severity)) {
    alert.severity = finding.severity;
  }
  alert.start = std::min(alert.start, finding.start);
  alert.end = std::max(alert.end, finding.end);
  alert.count += finding.count;
  alert.evidence_count += finding.evidence_count;
  for (const EvidenceRow& row : finding.evidence) {
    if (alert.evidence.size() < kEvidenceMax) alert.evidence.push_back(row);
  }
  for (const auto& [name, value] : finding.properties) {
    const auto known = std::ranges::find(alert.properties, name, &std::pair<std::string, std::string>::first);
    if (known == alert.properties.end()) {
      alert.properties.emplace_back(name, value);
    } else {
      known->second = value;
    }
  }
  for (const Entity& entity : finding.entities) {
    if (alert.entities.size() < kEntitiesMax && std::ranges::find(alert.entities, entity) == alert.entities.end()) {
      alert.entities.push_back(entity);
    }
  }
}

void AlertBook::raise(const Finding& finding, const Context& context, std::vector<AlertChange>& out) {
  const AlertInfo* info = finding.info != nullptr ? finding.info : catalogue_.find(finding.alert_type);
  CHECK(info != nullptr, "each alert type of a detector is in content/alerts/ (a test runs all)");
  const std::string key = state_key(context.rule, finding.alert_type, context.device.hub, context.device.device_id,
                                    context.device.generation_id, finding.group_key);
  OpenAlert late;
  OpenAlert* open = nullptr;
  const OpenAlert* known = alerts_.find(key);
  const bool in_window = known != nullptr && finding.start - known->window_start < info->window &&
                         known->window_start - finding.start < info->window;
  if (in_window) {
    open = &alerts_.touch(key);
  } else if (known != nullptr && finding.start < known->window_start) {
    open = &late;  // of an older window: an alert of its own, and the newer one stays
    begin(*open, finding, context, *info);
  } else {
    if (known != nullptr && known->waiting) {
      OpenAlert& old = alerts_.touch(key);
      write(key, old, context.enqueued, context.source, out);
    }
    open = &alerts_.touch(key);
    begin(*open, finding, context, *info);
  }
  merge(open->alert, finding, context.profile);
  add_techniques(open->alert, finding, *info);
  open->alert.device = context.device;
  open->alert.group = context.group;
  open->last = context.enqueued;
  const bool at_once = open->alert.change < kChangesAtOnce || open->alert.count >= 2 * open->written_count ||
                       open->written + kChangeDelay <= context.enqueued;
  if (at_once) {
    write(key, *open, context.enqueued, context.source, out);
  } else if (!open->waiting) {
    open->waiting = true;
    due_.emplace(open->written + kChangeDelay, key);
  }
  if (alerts_.size() > kOpenAlertsMax) {
    evicted_ += evict_oldest(alerts_, kOpenAlertsMax);
    std::erase_if(due_, [&](const auto& due) { return alerts_.find(due.second) == nullptr; });
  }
}

void AlertBook::write(const std::string& key, OpenAlert& open, Timestamp now, journal::RecordId source,
                      std::vector<AlertChange>& out) {
  if (open.waiting) due_.erase({open.written + kChangeDelay, key});
  open.alert.generated = now;
  open.alert.source = source;
  out.push_back(open.alert);
  ++open.alert.change;
  open.written = now;
  open.written_count = open.alert.count;
  open.waiting = false;
}

void AlertBook::advance(Timestamp now, journal::RecordId source, std::vector<AlertChange>& out) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const std::string key = due_.begin()->second;
    write(key, alerts_.touch(key), now, source, out);
  }
}

void AlertBook::forget(Timestamp now) {
  alerts_.erase_if([&](const std::string&, const OpenAlert& open) {
    const AlertInfo* info = catalogue_.find(open.alert.alert_type);
    // Of a rule that brings its own text: those join for an hour.
    const Duration window = info == nullptr ? Duration::hours(1) : info->window;
    return !open.waiting && open.last < now - window - kLateness;
  });
}

Result<> AlertBook::load(std::string_view key, Bytes value) {
  TRY_VOID(alerts_.load(key, value));
  const OpenAlert& open = *alerts_.find(key);
  if (open.waiting) due_.emplace(open.written + kChangeDelay, key);
  return {};
}

void AlertBook::OpenAlert::encode(ByteWriter& out) const {
  put_time(out, window_start);
  put_time(out, last);
  put_time(out, written);
  out.le(written_count).u8(waiting ? 1 : 0);
  put_text(out, to_json(alert));
}

Result<AlertBook::OpenAlert> AlertBook::OpenAlert::decode(Cursor& in) {
  OpenAlert out;
  TRY(out.window_start, get_time(in));
  TRY(out.last, get_time(in));
  TRY(out.written, get_time(in));
  TRY(out.written_count, in.le<std::uint64_t>());
  TRY(const auto waiting, in.u8());
  out.waiting = waiting != 0;
  TRY(const auto json, get_text(in));
  TRY(out.alert, parse_alert_change(json));
  return out;
}

}  // namespace picket::pipeline
