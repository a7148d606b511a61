#include "incident_book.h"

#include <algorithm>

#include "alert_book.h"
#include "base/core/hash.h"
#include "incident_links.h"

namespace picket::pipeline {
namespace {

using Facts = IncidentBook::AlertFacts;

constexpr Duration kDay = Duration::hours(24);
constexpr std::size_t kReasonsKept = 64;
constexpr std::size_t kTacticsInTitle = 4;
constexpr std::size_t kDevicesOfWideCampaign = 10;
constexpr std::string_view kDeviceKind = "device";
constexpr std::string_view kCampaignKind = "campaign";
constexpr std::uint64_t kMedium = 3;
constexpr std::uint64_t kHigh = 4;
/// Keys of the state part: what kind of entry it is.
constexpr char kFactsEntry = 'a', kSharedEntry = 's', kIncidentEntry = 'i';

Timestamp day_of(Timestamp time) {
  std::int64_t day = time.us / kDay.us;
  if (time.us % kDay.us < 0) --day;
  return {day * kDay.us};
}

std::string prefix_of(const Facts& facts) {
  return state_key(facts.hub, facts.device_id, facts.generation_id, std::to_string(facts.day.us));
}

std::string device_incident(const Facts& facts) {
  return make_incident_id(kDeviceKind, facts.hub, state_key(facts.device_id, facts.generation_id), facts.day);
}

std::string campaign_incident(const Facts& facts, std::string_view link) {
  return make_incident_id(kCampaignKind, facts.hub, link, facts.day);
}

std::string shared_key(const Facts& facts, std::string_view link) {
  return state_key(facts.hub, std::to_string(facts.day.us), link);
}

/// Which of two incidents with the same alerts stands for both: what names most precisely what they share.
int rank_of(const IncidentBook::Incident& incident) {
  if (incident.kind == kDeviceKind) return 4;
  if (incident.key.starts_with("type ")) return 3;
  return incident.key.starts_with("address ") ? 2 : 1;
}

void add_all(std::vector<std::string>& to, const std::vector<std::string>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void sort_unique(std::vector<std::string>& texts) {
  std::ranges::sort(texts);
  texts.erase(std::ranges::unique(texts).begin(), texts.end());
}

std::string title_of(const IncidentChange& change, const Facts& top, StageSet stages) {
  if (change.kind == kCampaignKind) {
    const bool type = change.key.starts_with("type ");
    return "Campaign over several devices: " + (type ? top.name : change.key);
  }
  const std::string where = change.device.device_id.empty() ? change.device.hub : change.device.device_id;
  if (stage_count(stages) < 2) return "Related alerts on " + where + ": " + top.name;
  std::string out = "Multi-stage incident on " + where + ": ";
  for (std::size_t i = 0; i < change.tactics.size(); ++i) {
    if (i == kTacticsInTitle) return out + " and more";
    out += (i == 0 ? "" : ", ") + tactic_title(change.tactics[i]);
  }
  return out;
}

std::string description_of(const IncidentChange& change) {
  std::string out = std::to_string(change.alerts.size()) + " alerts on " + std::to_string(change.devices.size()) +
                    (change.devices.size() == 1 ? " device" : " devices") + " belong together: ";
  for (std::size_t i = 0; i < change.reasons.size(); ++i) out += (i == 0 ? "" : ", ") + change.reasons[i];
  return out + ".";
}

}  // namespace

/// False: there is no place for it.
bool IncidentBook::take_in(const AlertChange& alert, std::string_view group_key, Timestamp now, std::string& key) {
  Facts seen;
  seen.alert_id = alert.alert_id;
  seen.hub = alert.device.hub;
  seen.device_id = alert.device.device_id;
  seen.module_id = alert.device.module_id;
  seen.generation_id = alert.device.generation_id;
  seen.day = day_of(alert.start);
  const std::string prefix = prefix_of(seen);
  key = prefix + state_key(seen.alert_id);
  if (facts_.find(key) == nullptr) {
    std::size_t count = 0;
    for (auto at = facts_.entries().lower_bound(prefix);
         at != facts_.entries().end() && at->first.starts_with(prefix) && count < kDeviceAlertsMax; ++at) {
      ++count;
    }
    if (count == kDeviceAlertsMax) {
      ++left_out_;
      return false;
    }
    static_cast<Facts&>(facts_.touch(key)) = seen;
  }
  Facts& facts = facts_.touch(key);
  facts.type = alert.alert_type;
  facts.name = alert.display_name;
  facts.weight = std::max(facts.weight, severity_weight(alert.severity));
  facts.start = facts.start.us == 0 ? alert.start : std::min(facts.start, alert.start);
  facts.end = std::max(facts.end, alert.end);
  facts.tactics = alert.tactics;
  facts.techniques = alert.techniques;
  add_all(facts.techniques, alert.sub_techniques);
  facts.links.merge(links_of(alert, group_key));
  facts.last = now;
  return true;
}

void IncidentBook::add_member(const std::string& id, const std::string& fact_key, Timestamp now) {
  Incident& incident = incidents_.touch(id);
  incident.last = now;
  if (incident.members.contains(fact_key)) return;
  if (incident.members.size() >= kIncidentAlertsMax) {
    ++left_out_;
    return;
  }
  incident.members.insert(fact_key);
}

/// The alert against all others of its device and day.
void IncidentBook::join_device(const std::string& key, Ids& touched) {
  const Facts mine = *facts_.find(key);
  const std::string prefix = prefix_of(mine);
  const std::string id = device_incident(mine);
  std::vector<std::string> joined;
  std::set<std::string> reasons;
  bool core = mine.core;
  for (auto at = facts_.entries().lower_bound(prefix); at != facts_.entries().end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    if (at->first == key || mine.weight < 2 || at->second.weight < 2) continue;
    auto why = reasons_to_join(mine, at->second);
    if (why.empty()) continue;
    reasons.merge(why);
    core = true;
    if (!at->second.core) joined.push_back(at->first);
  }
  for (const std::string& other : joined) facts_.touch(other).core = true;
  if (core && !mine.core) {
    facts_.touch(key).core = true;
    joined.push_back(key);
  }
  // What weighs nothing by itself, and has something in common with one that belongs to the incident.
  for (auto at = facts_.entries().lower_bound(prefix); at != facts_.entries().end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    if (at->second.weight >= 2 || at->second.beside) continue;
    for (auto other = facts_.entries().lower_bound(prefix); other != facts_.entries().end(); ++other) {
      if (!other->first.starts_with(prefix)) break;
      const bool new_pair =
          at->first == key || other->first == key || std::ranges::find(joined, other->first) != joined.end();
      if (!other->second.core || !new_pair || reasons_to_join(at->second, other->second).empty()) continue;
      facts_.touch(at->first).beside = true;
      joined.push_back(at->first);
      break;
    }
  }
  if (joined.empty() && !facts_.find(key)->core && !facts_.find(key)->beside) return;
  Incident& incident = incidents_.touch(id);
  incident.kind = kDeviceKind;
  incident.key = mine.device_id;
  incident.hub = mine.hub;
  incident.device_id = mine.device_id;
  incident.module_id = mine.module_id;
  incident.generation_id = mine.generation_id;
  incident.day = mine.day;
  for (const std::string& why : reasons) {
    if (incident.reasons.size() < kReasonsKept) incident.reasons.insert(why);
  }
  for (const std::string& one : joined) add_member(id, one, mine.last);
  incident.last = mine.last;
  touched.insert(id);
}

void IncidentBook::join_campaigns(const std::string& key, Ids& touched) {
  const Facts& mine = *facts_.find(key);
  for (const std::string& link : campaign_links(mine)) {
    Shared& shared = shared_.touch(shared_key(mine, link));
    shared.day = mine.day;
    shared.last = mine.last;
    if (shared.alerts.size() < kIncidentAlertsMax) shared.alerts.insert(key);
    if (shared.devices.size() < kIncidentDevicesMax) shared.devices.insert(mine.device_id);
    if (shared.devices.size() < campaign_devices(link)) continue;
    const std::string id = campaign_incident(mine, link);
    const bool known = incidents_.find(id) != nullptr;
    if (known) {
      add_member(id, key, mine.last);
    } else {
      Incident& incident = incidents_.touch(id);
      incident.kind = kCampaignKind;
      incident.key = link;
      incident.hub = mine.hub;
      incident.day = mine.day;
      incident.reasons = {link};
      for (const std::string& member : shared.alerts) {
        add_member(id, member, mine.last);
        if (const Facts* facts = facts_.find(member)) touched.merge(incidents_of(*facts));
      }
    }
    touched.insert(id);
  }
}

IncidentBook::Ids IncidentBook::incidents_of(const AlertFacts& facts) const {
  Ids out;
  if (facts.core || facts.beside) out.insert(device_incident(facts));
  for (const std::string& link : campaign_links(facts)) {
    std::string id = campaign_incident(facts, link);
    if (incidents_.find(id) != nullptr) out.insert(std::move(id));
  }
  return out;
}

/// Whether there is enough to tell of. Once true it stays so.
bool IncidentBook::stands(const Incident& incident) const {
  if (incident.kind == kCampaignKind) return true;
  std::size_t core = 0;
  std::uint64_t weight = 0;
  for (const std::string& key : incident.members) {
    const Facts* facts = facts_.find(key);
    if (facts == nullptr) continue;
    core += facts->core ? 1 : 0;
    weight = std::max(weight, facts->weight);
  }
  return core >= 2 && weight >= kMedium;
}

void IncidentBook::review_merge(const std::string& id) {
  const Incident* incident = incidents_.find(id);
  if (incident == nullptr) return;
  // What weighs nothing by itself is no reason to stand apart.
  std::set<std::string> members;
  for (const std::string& key : incident->members) {
    const Facts* facts = facts_.find(key);
    if (facts != nullptr && !facts->beside) members.insert(key);
  }
  if (members.empty()) return;
  const Facts* first = facts_.find(*members.begin());
  std::string best;
  const Incident* whole = nullptr;
  for (const std::string& other_id : incidents_of(*first)) {
    const Incident* other = incidents_.find(other_id);
    if (other_id == id || other == nullptr || !stands(*other)) continue;
    if (!std::ranges::includes(other->members, members)) continue;
    const bool same = other->members.size() == members.size();
    if (same && std::pair(rank_of(*other), other_id) > std::pair(rank_of(*incident), id)) continue;
    const auto order = [](const Incident& one, const std::string& name) {
      return std::tuple(-static_cast<std::int64_t>(one.members.size()), rank_of(one), name);
    };
    if (whole == nullptr || order(*other, other_id) < order(*whole, best)) {
      whole = other;
      best = other_id;
    }
  }
  if (incident->merged_into != best) incidents_.touch(id).merged_into = best;
}

IncidentChange IncidentBook::describe(const std::string& id, const Incident& incident) const {
  IncidentChange out;
  out.incident_id = id;
  out.kind = incident.kind;
  out.key = incident.key;
  out.device = {incident.hub, incident.device_id, incident.module_id, incident.generation_id};
  out.merged_into = incident.merged_into;
  std::uint64_t weight = 2;
  const Facts* top = nullptr;
  for (const std::string& key : incident.members) {
    const Facts* facts = facts_.find(key);
    if (facts == nullptr) continue;
    const auto order = [](const Facts& one) { return std::tuple(5 - one.weight, one.start, one.alert_id); };
    out.start = top == nullptr ? facts->start : std::min(out.start, facts->start);
    out.end = top == nullptr ? facts->end : std::max(out.end, facts->end);
    if (top == nullptr || order(*facts) < order(*top)) top = facts;
    weight = std::max(weight, facts->weight);
    add_all(out.tactics, facts->tactics);
    add_all(out.techniques, facts->techniques);
    out.alerts.push_back(facts->alert_id);
    out.devices.push_back(facts->device_id.empty() ? facts->hub : facts->device_id);
  }
  sort_tactics(out.tactics);
  sort_unique(out.techniques);
  sort_unique(out.alerts);
  sort_unique(out.devices);
  for (const std::string& why : incident.reasons) {
    if (out.reasons.size() < kIncidentReasonsMax) out.reasons.push_back(why);
  }
  const StageSet stages = stages_of(out.tactics);
  if (stage_count(stages) >= 3 && weight >= kMedium) weight = kHigh;
  if (out.devices.size() >= kDevicesOfWideCampaign) weight = std::min(weight + 1, kHigh);
  out.severity = severity_name(weight);
  if (top != nullptr) out.title = title_of(out, *top, stages);
  out.description = description_of(out);
  return out;
}

void IncidentBook::publish(const std::string& id, const Context& context, std::vector<IncidentChange>& out) {
  const Incident* known = incidents_.find(id);
  if (known == nullptr || !stands(*known)) return;
  if (known->change == 0 && !known->merged_into.empty()) return;  // nobody has heard of it
  // A campaign of a thousand alerts is described when its time has come, not for each of them.
  if (known->change >= kChangesAtOnce && known->written + kChangeDelay > context.enqueued) {
    if (!known->waiting) incidents_.touch(id).waiting = true;
    waiting_.insert(id);
    return;
  }
  IncidentChange change = describe(id, *known);
  const std::uint64_t signature = fnv1a64(as_bytes(to_json(change)));
  if (known->change > 0 && signature == known->signature) {
    if (known->waiting) incidents_.touch(id).waiting = false;
    waiting_.erase(id);
    return;
  }
  Incident& incident = incidents_.touch(id);
  change.change = static_cast<std::uint32_t>(incident.change++);
  change.generated = context.enqueued;
  change.source = context.source;
  incident.signature = signature;
  incident.written = context.enqueued;
  incident.waiting = false;
  waiting_.erase(id);
  out.push_back(std::move(change));
}

void IncidentBook::see(const AlertChange& alert, std::string_view group_key, const Context& context,
                       std::vector<IncidentChange>& out) {
  if (!alert.suppressed_by.empty() || alert.alert_type == "IoT_SelfTest") return;
  std::string key;
  if (!take_in(alert, group_key, context.enqueued, key)) return;
  Ids touched;
  join_device(key, touched);
  join_campaigns(key, touched);
  touched.merge(incidents_of(*facts_.find(key)));
  for (const std::string& id : touched) review_merge(id);
  for (const std::string& id : touched) publish(id, context, out);
  keep_bounds();
}

void IncidentBook::minute(const Context& context, std::vector<IncidentChange>& out) {
  const Ids due = waiting_;
  for (const std::string& id : due) {
    const Incident* incident = incidents_.find(id);
    if (incident == nullptr) {
      waiting_.erase(id);
    } else if (incident->written + kChangeDelay <= context.enqueued) {
      publish(id, context, out);
    }
  }
  const auto over = [&](const auto& entry) { return entry.day + kDay + kAlertLateness <= context.enqueued; };
  facts_.erase_if([&](const std::string&, const auto& facts) { return over(facts); });
  shared_.erase_if([&](const std::string&, const auto& shared) { return over(shared); });
  incidents_.erase_if([&](const std::string&, const auto& incident) { return !incident.waiting && over(incident); });
}

void IncidentBook::keep_bounds() {
  left_out_ += evict_oldest(facts_, kIncidentFactsMax);
  left_out_ += evict_oldest(shared_, kIncidentLinksMax);
  left_out_ += evict_oldest(incidents_, kIncidentsMax);
}

std::vector<StateChange> IncidentBook::take_changes() {
  std::vector<StateChange> out;
  const auto add = [&out](char kind, std::vector<StateChange> changes) {
    for (StateChange& change : changes) {
      change.key.insert(change.key.begin(), kind);
      out.push_back(std::move(change));
    }
  };
  add(kFactsEntry, facts_.take_changes());
  add(kSharedEntry, shared_.take_changes());
  add(kIncidentEntry, incidents_.take_changes());
  return out;
}

Result<> IncidentBook::load(std::string_view key, Bytes value) {
  if (key.empty()) return fail(Errc::malformed, "pipeline.state.incidents");
  const char kind = key.front();
  key.remove_prefix(1);
  if (kind == kFactsEntry) return facts_.load(key, value);
  if (kind == kSharedEntry) return shared_.load(key, value);
  if (kind != kIncidentEntry) return fail(Errc::malformed, "pipeline.state.incidents");
  TRY_VOID(incidents_.load(key, value));
  if (incidents_.find(key)->waiting) waiting_.emplace(key);
  return {};
}

}  // namespace picket::pipeline
