// analyticsModels: what a solution is like as a whole, alerts and recommendations by name and day.
#include <algorithm>
#include <map>
#include <set>

#include "base/core/json_writer.h"
#include "pipeline/recommendation.h"
#include "pipeline/catalogue.h"
#include "routes/handlers.h"
#include "service_resources.h"
#include "state/recommendations.h"

namespace picket::api::service {
namespace {

constexpr std::size_t kTop = 3;
constexpr std::size_t kGroupsLooked = 10'000;
constexpr std::size_t kDaysShown = 30;
constexpr std::size_t kRecommendationPage = 500;
constexpr std::string_view kAlertType = "Microsoft.Security/iotSecuritySolutions/analyticsModels/aggregatedAlerts";
constexpr std::string_view kRecommendationType =
    "Microsoft.Security/iotSecuritySolutions/analyticsModels/aggregatedRecommendations";

struct Severities {
  std::uint64_t high = 0, medium = 0, low = 0;
  void add(std::string_view severity, std::uint64_t count) {
    if (severity == "High") high += count;
    if (severity == "Medium") medium += count;
    if (severity == "Low") low += count;
  }
  void write(JsonWriter& out) const {
    out.begin_object().key("high").value(high).key("medium").value(medium).key("low").value(low).end_object();
  }
};

std::string date_of(Timestamp day) { return format_rfc3339(day).substr(0, 10); }

std::string steps_of(const std::vector<std::string>& steps) {
  std::string out;
  for (std::size_t i = 0; i < steps.size(); ++i) out += (i == 0 ? "" : " ") + std::to_string(i + 1) + ". " + steps[i];
  return out;
}

std::set<std::string> unhealthy_devices(const Call& call, const std::vector<state::DeviceCount>& alerted) {
  std::set<std::string> out;
  for (const state::DeviceCount& device : alerted) {
    if (!device.device_id.empty()) out.insert(device.device_id);
  }
  const auto* store = call.parts.services.recommendations;
  std::string cursor;
  while (store != nullptr) {
    const auto page = store->list({.hub = {}, .state = "Active", .type = {}, .device_id = {}, .severity = {}}, cursor,
                                  kRecommendationPage);
    if (!page) break;
    for (const auto& one : page->recommendations) {
      if (!one.device_id.empty()) out.insert(one.device_id);
    }
    if (page->next.empty()) break;
    cursor = page->next;
  }
  return out;
}

void write_alert_figures(JsonWriter& out, const Call& call, const std::vector<state::DeviceCount>& alerted) {
  const auto groups = call.parts.services.alerts.groups({.by_device = true, .open_only = true}, 0, kGroupsLooked);
  std::map<std::string, Severities, std::greater<>> days;  // devices by the gravest of their alerts of the day
  struct Prevalent {
    std::string severity;
    std::uint64_t alerts = 0;
  };
  std::map<std::string, Prevalent> names;
  if (groups) {
    std::map<std::pair<std::string, std::string>, std::string> worst;
    for (const state::AlertGroup& group : groups->first) {
      auto& severity = worst[{date_of(group.day), group.device_id}];
      const auto rank = [](std::string_view name) {
        return name == "High" ? 3 : name == "Medium" ? 2 : name == "Low" ? 1 : 0;
      };
      if (rank(group.severity) > rank(severity)) severity = group.severity;
      Prevalent& one = names[group.display_name];
      one.alerts += group.open;
      if (rank(group.severity) >= rank(one.severity)) one.severity = group.severity;
    }
    for (const auto& [key, severity] : worst) days[key.first].add(severity, 1);
  }
  out.key("devicesMetrics").begin_array();
  std::size_t shown = 0;
  for (const auto& [date, severities] : days) {
    if (shown++ == kDaysShown) break;
    out.begin_object().key("date").value(date + "T00:00:00Z").key("devicesMetrics");
    severities.write(out);
    out.end_object();
  }
  out.end_array().key("topAlertedDevices").begin_array();
  for (std::size_t i = 0; i < alerted.size() && i < kTop; ++i) {
    std::uint64_t count = 0;
    for (const auto& severity : alerted[i].severities) count += severity.count;
    out.begin_object().key("deviceId").value(alerted[i].device_id).key("alertsCount").value(count).end_object();
  }
  out.end_array().key("mostPrevalentDeviceAlerts").begin_array();
  std::vector<std::pair<std::string, Prevalent>> order(names.begin(), names.end());
  std::ranges::sort(order, [](const auto& a, const auto& b) {
    return a.second.alerts != b.second.alerts ? a.second.alerts > b.second.alerts : a.first < b.first;
  });
  for (std::size_t i = 0; i < order.size() && i < kTop; ++i) {
    out.begin_object()
        .key("alertDisplayName")
        .value(order[i].first)
        .key("reportedSeverity")
        .value(order[i].second.severity);
    out.key("alertsCount").value(order[i].second.alerts).end_object();
  }
  out.end_array();
}

void write_recommendation_figures(JsonWriter& out, const Call& call) {
  out.key("mostPrevalentDeviceRecommendations").begin_array();
  const auto* store = call.parts.services.recommendations;
  const auto counts = store == nullptr
                          ? Result<std::vector<state::RecommendationCount>>(std::vector<state::RecommendationCount>{})
                          : store->count_by_type("");
  std::size_t shown = 0;
  if (counts) {
    for (const auto& count : *counts) {
      if (count.active == 0 || shown++ == kTop) break;
      out.begin_object().key("recommendationDisplayName").value(count.display_name);
      out.key("reportedSeverity").value(count.severity).key("devicesCount").value(count.active).end_object();
    }
  }
  out.end_array();
}

std::string model_json(const Call& call, const Target& target) {
  Severities metrics;
  if (const auto open = call.parts.services.alerts.open_by_severity()) {
    for (const auto& count : *open) metrics.add(count.severity, count.count);
  }
  const auto found = call.parts.services.alerts.open_by_device(call.parts.services.hub);
  const std::vector<state::DeviceCount> alerted = found ? *found : std::vector<state::DeviceCount>{};
  JsonWriter out;
  out.begin_object().key("id").value(target.base + "/analyticsModels/default").key("name").value("default");
  out.key("type").value("Microsoft.Security/iotSecuritySolutions/analyticsModels").key("properties").begin_object();
  out.key("metrics");
  metrics.write(out);
  out.key("unhealthyDeviceCount").value(static_cast<std::uint64_t>(unhealthy_devices(call, alerted).size()));
  write_alert_figures(out, call, alerted);
  write_recommendation_figures(out, call);
  return out.end_object().end_object().take();
}

void write_aggregated_alert(JsonWriter& out, const Call& call, const Target& target, const state::AlertGroup& group) {
  const auto* info = pipeline::Catalogue::builtin().find_any(group.alert_type);
  const std::string name = group.alert_type + "/" + date_of(group.day);
  out.begin_object().key("id").value(target.base + "/analyticsModels/default/aggregatedAlerts/" + name);
  out.key("name").value(name).key("type").value(kAlertType).key("tags").begin_object().end_object();
  out.key("properties").begin_object().key("alertType").value(group.alert_type);
  out.key("alertDisplayName").value(group.display_name).key("aggregatedDateUtc").value(date_of(group.day));
  out.key("vendorName").value("Picket").key("reportedSeverity").value(group.severity);
  out.key("remediationSteps").value(info == nullptr ? "" : steps_of(info->remediation));
  out.key("description").value(info == nullptr ? "" : info->description).key("count").value(group.alerts);
  const bool hub =
      group.devices == 1 && group.device_id.empty() && info != nullptr && info->type.starts_with("IoT_Cert");
  out.key("effectedResourceType").value(hub ? "IoT Hub" : "IoT Device").key("systemSource").value("Non-Azure");
  out.key("actionTaken").value(group.open > 0 ? "Detected" : "Dismissed");
  out.key("logAnalyticsQuery")
      .value("SecurityAlert | where AlertType == \"" + group.alert_type + "\" and StartTime >= datetime(" +
             date_of(group.day) + ") and StartTime < datetime(" + date_of(group.day) + ") + 1d" +
             " | summarize arg_max(TimeGenerated, *) by SystemAlertId");
  out.key("topDevicesList").begin_array();
  const auto devices = call.parts.services.alerts.groups(
      {.since = group.day, .until = group.day + Duration::hours(24), .alert_type = group.alert_type, .by_device = true},
      0, kTop);
  if (devices) {
    for (const auto& device : devices->first) {
      out.begin_object().key("deviceId").value(device.device_id).key("alertsCount").value(device.alerts);
      out.key("lastOccurrence").value(device.end).end_object();
    }
  }
  out.end_array().end_object().end_object();
}

ServiceAnswer aggregated_alerts(Call& call, const Target& target, const std::vector<std::string>& rest) {
  const auto& store = call.parts.services.alerts;
  if (rest.empty()) {
    const auto page = page_of(call);
    if (!page) return std::unexpected(page.error());
    const auto found = store.groups({}, page->skip, page->count);
    if (!found) return std::unexpected(internal());
    JsonWriter out;
    out.begin_object().key("value").begin_array();
    for (const auto& group : found->first) write_aggregated_alert(out, call, target, group);
    out.end_array();
    const std::size_t end = page->skip + found->first.size();
    if (!found->first.empty() && end < found->second) out.key("nextLink").value(next_link(call, end));
    return Response::json(out.end_object().take());
  }
  // NAME is TYPE/DATE: two segments, or one with its slash encoded.
  std::vector<std::string> name = rest;
  const bool dismiss = http::equal_ignoring_case(name.back(), "dismiss");
  if (dismiss) name.pop_back();
  if (name.size() == 1 && name[0].find('/') != std::string::npos) {
    const std::size_t slash = name[0].find('/');
    name = {name[0].substr(0, slash), name[0].substr(slash + 1)};
  }
  const auto day = name.size() == 2 && name[1].size() == 10 ? parse_rfc3339(name[1] + "T00:00:00Z")
                                                            : Result<Timestamp>(fail(Errc::malformed, "day"));
  if (!day) return std::unexpected(ServiceError{});
  const auto found = store.groups({.since = *day, .until = *day + Duration::hours(24), .alert_type = name[0]}, 0, 1);
  if (!found) return std::unexpected(internal());
  if (found->first.empty()) return std::unexpected(ServiceError{});
  if (dismiss) {
    if (call.request.method != "POST") return std::unexpected(ServiceError{405, "MethodNotAllowed", "POST dismisses."});
    const auto done = dismiss_group(call, found->first[0].alert_type, *day, "Dismissed", "");
    return done ? ServiceAnswer(Response{.status = 200}) : std::unexpected(internal());
  }
  JsonWriter out;
  write_aggregated_alert(out, call, target, found->first[0]);
  return Response::json(out.take());
}

void write_aggregated_recommendation(JsonWriter& out, const Call& call, const Target& target,
                                     const state::RecommendationCount& count, std::uint64_t devices) {
  const auto* info = pipeline::RecommendationCatalogue::builtin().find(count.type);
  out.begin_object().key("id").value(target.base + "/analyticsModels/default/aggregatedRecommendations/" + count.type);
  out.key("name").value(count.type).key("type").value(kRecommendationType).key("tags").begin_object().end_object();
  out.key("properties").begin_object().key("recommendationName").value(count.type);
  out.key("recommendationDisplayName").value(count.display_name);
  out.key("description").value(info == nullptr ? "" : info->description);
  out.key("recommendationTypeId").value(pipeline::make_recommendation_id("", "", count.type));
  out.key("detectedBy")
      .value("Picket")
      .key("remediationSteps")
      .value(info == nullptr ? "" : steps_of(info->remediation));
  out.key("reportedSeverity").value(count.severity);
  out.key("healthyDevices").value(devices > count.active ? devices - count.active : std::uint64_t{0});
  out.key("unhealthyDeviceCount").value(count.active);
  out.key("logAnalyticsQuery")
      .value("SecurityRecommendation | where RecommendationName == \"" + count.type +
             "\" | summarize arg_max(RecommendationState, DiscoveredTimeUTC) by DeviceId");
  out.end_object().end_object();
  static_cast<void>(call);
}

ServiceAnswer aggregated_recommendations(Call& call, const Target& target, const std::vector<std::string>& rest) {
  const auto* store = call.parts.services.recommendations;
  if (store == nullptr) return std::unexpected(internal());
  const auto counts = store->count_by_type("");
  const auto devices = call.parts.services.devices.count(call.parts.services.hub);
  const auto page = page_of(call);
  if (!page) return std::unexpected(page.error());
  if (!counts || !devices) return std::unexpected(internal());
  JsonWriter out;
  if (!rest.empty()) {
    const auto one = std::ranges::find_if(
        *counts, [&](const auto& count) { return rest.size() == 1 && http::equal_ignoring_case(count.type, rest[0]); });
    if (one == counts->end()) return std::unexpected(ServiceError{});
    write_aggregated_recommendation(out, call, target, *one, *devices);
    return Response::json(out.take());
  }
  out.begin_object().key("value").begin_array();
  const std::size_t end = std::min(page->skip + page->count, counts->size());
  for (std::size_t i = page->skip; i < end; ++i) {
    write_aggregated_recommendation(out, call, target, (*counts)[i], *devices);
  }
  out.end_array();
  if (end < counts->size()) out.key("nextLink").value(next_link(call, end));
  return Response::json(out.end_object().take());
}

}  // namespace

ServiceAnswer analytics(Call& call, const Target& target) {
  const auto& path = target.path;
  const bool dismiss = path.size() > 3 && http::equal_ignoring_case(path.back(), "dismiss");
  if (call.request.method != "GET" && !dismiss) {
    return std::unexpected(ServiceError{405, "MethodNotAllowed", "This resource can only be read."});
  }
  if (path.size() == 1) return Response::json("{\"value\":[" + model_json(call, target) + "]}");
  if (!http::equal_ignoring_case(path[1], "default")) return std::unexpected(ServiceError{});
  if (path.size() == 2) return Response::json(model_json(call, target));
  const std::vector<std::string> rest(path.begin() + 3, path.end());
  if (http::equal_ignoring_case(path[2], "aggregatedAlerts")) return aggregated_alerts(call, target, rest);
  if (http::equal_ignoring_case(path[2], "aggregatedRecommendations"))
    return aggregated_recommendations(call, target, rest);
  return std::unexpected(ServiceError{});
}

}  // namespace picket::api::service
