#include "alert_book.h"

#include <algorithm>

#include "base/core/check.h"
#include "pipeline/attack.h"

namespace picket::pipeline {
namespace {

int weight(std::string_view severity) {
  return severity == "High" ? 4 : severity == "Medium" ? 3 : severity == "Low" ? 2 : severity.empty() ? 0 : 1;
}

/// Numbers that count something grow with every finding; those that name something do not.
bool counts(std::string_view name, std::string_view value) {
  const bool number = !value.empty() && value.size() <= 18 && value.find_first_not_of("0123456789") == value.npos;
  return number && !name.ends_with("Id") && !name.ends_with("id") && !name.ends_with("Port");
}

/// Whether `value` replaces what was said before. Later happenings know better, and more is known than less; equal
/// times are told apart by the value itself, so that the order of arrival does not matter.
bool replaces(std::string_view name, std::string_view before, Timestamp before_time, std::string_view value,
              Timestamp time) {
  const bool sized =
      (counts(name, before) && counts(name, value)) || (before.starts_with('[') && value.starts_with('['));
  if (sized && before.size() != value.size()) return value.size() > before.size();
  if (counts(name, before) && counts(name, value)) return value > before;
  return std::pair(time, value) > std::pair(before_time, before);
}

/// The part of time that a finding belongs to.
Timestamp window_of(Timestamp time, Duration window) {
  std::int64_t part = time.us / window.us;
  if (time.us % window.us < 0) --part;
  return {part * window.us};
}

void add_unique(std::vector<std::string>& list, std::string_view value) {
  if (std::ranges::find(list, value) == list.end()) list.emplace_back(value);
}

/// Those of what was found; where the finding names none, those of its kind of alert.
void add_techniques(AlertChange& alert, const Finding& finding, const AlertInfo& info) {
  for (const std::string_view said : finding.techniques) {
    const std::string_view id = current_technique(said);
    add_unique(alert.techniques, id.substr(0, 5));
    if (id.size() > 5) add_unique(alert.sub_techniques, id);
  }
  if (finding.techniques.empty()) {
    for (const std::string& id : info.techniques) add_unique(alert.techniques, id);
    for (const std::string& id : info.sub_techniques) add_unique(alert.sub_techniques, id);
  }
  std::ranges::sort(alert.techniques);  // in whatever order the findings come
  std::ranges::sort(alert.sub_techniques);
}

}  // namespace

void AlertBook::begin(OpenAlert& open, const Finding& finding, const Context& context, const AlertInfo& info,
                      Timestamp window_start, std::string_view suppressed_by) {
  open = OpenAlert{};
  open.group_key = finding.group_key;
  AlertChange& alert = open.alert;
  // A detector may raise several types for one group: each is a rule of its own. What is suppressed is an alert of its
  // own beside what is not.
  std::string rule = std::string(context.rule) + "/" + info.type;
  if (!suppressed_by.empty()) rule += "/suppressed " + std::string(suppressed_by);
  alert.suppressed_by = suppressed_by;
  open.keep_until = window_start + info.window + kAlertLateness;
  if (open.keep_until <= context.enqueued) {  // nobody remembers that window
    rule += "/late " + to_text(context.source);
    open.keep_until = context.enqueued + Duration::hours(1);
  }
  alert.alert_id = make_alert_id(rule, context.device, finding.group_key, window_start);
  alert.rule = context.rule;
  alert.alert_type = info.type;
  alert.display_name = info.name;
  alert.severity = info.severity(context.profile);
  alert.description = info.description;
  alert.device = context.device;
  alert.group = context.group;
  alert.start = finding.start;
  alert.end = finding.end;
  alert.tactics = info.tactics;
  alert.remediation = info.remediation;
  if (context.device.device_id.empty()) {  // about the hub itself
    alert.properties = {{"IoTHub", context.device.hub}};
    alert.entities = {{"iothub", {{"IoTHub", context.device.hub}}}};
  } else {
    alert.properties = {{"DeviceId", context.device.device_id}};
    alert.entities = {{"iotdevice", {{"DeviceId", context.device.device_id}, {"IoTHub", context.device.hub}}}};
  }
  open.told = {finding.end};
}

void AlertBook::merge(OpenAlert& open, const Finding& finding, const Context& context) {
  AlertChange& alert = open.alert;
  if (context.profile == Profile::standard && weight(finding.severity) > weight(alert.severity)) {
    alert.severity = finding.severity;
  }
  if (finding.end >= alert.end) {
    alert.device = context.device;
    alert.group = context.group;
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
      open.told.push_back(finding.end);
      continue;
    }
    Timestamp& told = open.told[static_cast<std::size_t>(known - alert.properties.begin())];
    if (!replaces(name, known->second, told, value, finding.end)) continue;
    known->second = value;
    told = finding.end;
  }
  for (const Entity& entity : finding.entities) {
    if (alert.entities.size() < kEntitiesMax && std::ranges::find(alert.entities, entity) == alert.entities.end()) {
      alert.entities.push_back(entity);
    }
  }
}

void AlertBook::raise(const Finding& finding, const Context& context, std::vector<DerivedChange>& out) {
  const AlertInfo* info = finding.info != nullptr ? finding.info : catalogue_.find(finding.alert_type);
  CHECK(info != nullptr, "each alert type of a detector is in content/alerts/ (a test runs all)");
  const std::string_view suppressed_by =
      suppressions_.match(finding, info->type, context.rule, context.device, context.group, context.enqueued);
  const Timestamp window = window_of(finding.start, info->window);
  const bool late = window + info->window + kAlertLateness <= context.enqueued;
  const std::string key = state_key(context.rule, finding.alert_type, context.device.hub, context.device.device_id,
                                    context.device.generation_id, finding.group_key, suppressed_by,
                                    std::to_string(window.us), late ? to_text(context.source) : std::string());
  const bool known = alerts_.find(key) != nullptr;
  OpenAlert& open = alerts_.touch(key);
  if (!known) begin(open, finding, context, *info, window, suppressed_by);
  merge(open, finding, context);
  add_techniques(open.alert, finding, *info);
  open.last = context.enqueued;
  const bool at_once = open.alert.change < kChangesAtOnce || open.alert.count >= 2 * open.written_count ||
                       open.written + kChangeDelay <= context.enqueued;
  if (at_once) {
    write(key, open, context.enqueued, context.source, out);
  } else if (!open.waiting) {
    open.waiting = true;
    due_.emplace(open.written + kChangeDelay, key);
  }
  if (alerts_.size() > kOpenAlertsMax) {
    evicted_ += evict_oldest(alerts_, kOpenAlertsMax);
    std::erase_if(due_, [&](const auto& due) { return alerts_.find(due.second) == nullptr; });
  }
}

void AlertBook::write(const std::string& key, OpenAlert& open, Timestamp now, journal::RecordId source,
                      std::vector<DerivedChange>& out) {
  if (open.waiting) due_.erase({open.written + kChangeDelay, key});
  open.alert.generated = now;
  open.alert.source = source;
  out.push_back(open.alert);
  ++open.alert.change;
  open.written = now;
  open.written_count = open.alert.count;
  open.waiting = false;
  incident_changes_.clear();
  incidents_.see(open.alert, open.group_key, {now, source}, incident_changes_);
  for (IncidentChange& change : incident_changes_) out.emplace_back(std::move(change));
}

void AlertBook::advance(Timestamp now, journal::RecordId source, std::vector<DerivedChange>& out) {
  while (!due_.empty() && due_.begin()->first <= now) {
    const std::string key = due_.begin()->second;
    write(key, alerts_.touch(key), now, source, out);
  }
}

void AlertBook::forget(Timestamp now) {
  alerts_.erase_if([&](const std::string&, const OpenAlert& open) { return !open.waiting && open.keep_until <= now; });
}

Result<> AlertBook::load(std::string_view key, Bytes value) {
  TRY_VOID(alerts_.load(key, value));
  const OpenAlert& open = *alerts_.find(key);
  if (open.waiting) due_.emplace(open.written + kChangeDelay, key);
  return {};
}

void AlertBook::OpenAlert::encode(ByteWriter& out) const {
  out.le(static_cast<std::uint32_t>(told.size()));
  for (const Timestamp time : told) put_time(out, time);
  put_text(out, group_key);
  put_time(out, keep_until);
  put_time(out, last);
  put_time(out, written);
  out.le(written_count).u8(waiting ? 1 : 0);
  put_text(out, to_json(alert));
}

Result<AlertBook::OpenAlert> AlertBook::OpenAlert::decode(Cursor& in) {
  OpenAlert out;
  TRY(const auto count, in.le<std::uint32_t>());
  if (count > in.remaining() / 8) return fail(Errc::malformed, "pipeline.state.alert");
  for (std::uint32_t i = 0; i < count; ++i) {
    TRY(const Timestamp time, get_time(in));
    out.told.push_back(time);
  }
  TRY(out.group_key, get_text(in));
  TRY(out.keep_until, get_time(in));
  TRY(out.last, get_time(in));
  TRY(out.written, get_time(in));
  TRY(out.written_count, in.le<std::uint64_t>());
  TRY(const auto waiting, in.u8());
  out.waiting = waiting != 0;
  TRY(const auto json, get_text(in));
  TRY(out.alert, parse_alert_change(json));
  if (out.told.size() != out.alert.properties.size()) return fail(Errc::malformed, "pipeline.state.alert");
  return out;
}

}  // namespace picket::pipeline
