#include "rule_incidents.h"

#include <algorithm>
#include <array>

namespace picket::server {
namespace {

int rank(std::string_view severity) {
  constexpr std::array<std::string_view, 4> kOrder{"Informational", "Low", "Medium", "High"};
  return static_cast<int>(std::ranges::find(kOrder, severity) - kOrder.begin());
}

/// Adds what is missing; false: it was there, or there is no more room.
bool insert_sorted(std::vector<std::string>& to, const std::string& text, std::size_t count_max) {
  const auto at = std::ranges::lower_bound(to, text);
  if (text.empty() || to.size() >= count_max || (at != to.end() && *at == text)) return false;
  to.insert(at, text);
  return true;
}

constexpr std::size_t kNamesMax = 256;  // Tactics, techniques: more than there are.

void add_missing(std::vector<std::string>& to, const std::vector<std::string>& from) {
  for (const std::string& one : from) {
    if (to.size() < kNamesMax && std::ranges::find(to, one) == to.end()) to.push_back(one);
  }
}

/// What the alerts of an incident share, for people.
std::string reason_of(const analytics::Rule& rule, const analytics::Alert& alert) {
  std::string out = "analytics rule " + rule.name;
  if (!rule.incidents.group || rule.incidents.matching == analytics::Incidents::Matching::any_alert) return out;
  for (const analytics::Entity& entity : alert.entities) {
    out += ", " + entity.type;
    for (const auto& [name, value] : entity.members) out += " " + value;
  }
  constexpr std::size_t kBytesMax = 512;
  if (out.size() <= kBytesMax) return out;
  std::size_t end = kBytesMax;
  while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end;
  return out.substr(0, end);
}

}  // namespace

std::string RuleIncidents::id_of(std::string_view incident) const {
  return pipeline::make_incident_id("rule", hub_, incident, {});
}

Result<pipeline::IncidentChange> RuleIncidents::begin(const analytics::Placement& place,
                                                      const pipeline::AlertChange& alert) const {
  const std::string id = id_of(place.incident);
  if (place.fresh) {
    pipeline::IncidentChange out{.incident_id = id, .kind = "rule", .key = rule_.id};
    out.title = alert.display_name;
    out.severity = alert.severity;
    out.description = alert.description;
    out.device = alert.device;
    out.start = alert.start;
    out.end = alert.end;
    return out;
  }
  const auto known = incidents_.find(id);
  if (!known && known.error().code != Errc::not_found) return std::unexpected(known.error());
  if (!known || known->change < place.change) return fail(Errc::unavailable, "analytics.incident_behind");
  TRY(auto out, pipeline::parse_incident_change(known->json));
  ++out.change;
  return out;
}

Result<> RuleIncidents::add(const analytics::Alert& alert, const pipeline::AlertChange& change, Timestamp run) {
  const auto is_closed = [this](std::string_view incident) {
    const auto known = incidents_.find(id_of(incident));
    return known && known->status == "Closed";
  };
  const analytics::Placement place = memory_.place(rule_, alert, run, is_closed);
  if (place.incident.empty()) return {};
  auto found = gathered_.find(place.incident);
  if (found == gathered_.end()) {
    TRY(auto begun, begin(place, change));
    found = gathered_.emplace(place.incident, Gathered{std::move(begun)}).first;
  }
  pipeline::IncidentChange& incident = found->second.change;
  if (!insert_sorted(incident.alerts, change.alert_id, pipeline::kIncidentAlertsMax)) return {};
  found->second.grown = true;
  incident.generated = now_;
  incident.start = std::min(incident.start, change.start);
  incident.end = std::max(incident.end, change.end);
  if (rank(change.severity) > rank(incident.severity)) incident.severity = change.severity;
  if (incident.device != change.device) incident.device = {hub_, "", "", ""};
  add_missing(incident.tactics, change.tactics);
  add_missing(incident.techniques, change.techniques);
  insert_sorted(incident.devices, change.device.device_id, pipeline::kIncidentDevicesMax);
  insert_sorted(incident.reasons, reason_of(rule_, alert), pipeline::kIncidentReasonsMax);
  return {};
}

std::vector<pipeline::IncidentChange> RuleIncidents::take() {
  std::vector<pipeline::IncidentChange> out;
  for (auto& [key, gathered] : gathered_) {
    if (!gathered.grown) continue;
    memory_.note(key, gathered.change.change);
    out.push_back(std::move(gathered.change));
  }
  gathered_.clear();
  return out;
}

}  // namespace picket::server
