// Incidents: list, one with its timeline and evidence, triage.
#include <algorithm>

#include <boost/json.hpp>

#include "../evidence.h"
#include "../json_body.h"
#include "../overview.h"
#include "../paging.h"
#include "api/server.h"
#include "base/core/json_writer.h"
#include "decision.h"
#include "handlers.h"

namespace picket::api {
namespace {

namespace json = boost::json;

std::unexpected<ApiError> not_offered() { return std::unexpected(ApiError{.code = "not_implemented"}); }

void write_summary(JsonWriter& out, const state::Incident& incident) {
  json::error_code error;
  const json::value parsed = json::parse(incident.json, error);
  const auto raw = [&](const char* name, std::string_view fallback) {
    const auto* value = error || !parsed.is_object() ? nullptr : parsed.get_object().if_contains(name);
    return value == nullptr ? std::string(fallback) : json::serialize(*value);
  };
  out.key("id").value(incident.incident_id).key("number").value(incident.number).key("kind").value(incident.kind);
  out.key("title").value(incident.title).key("severity").value(incident.severity);
  out.key("status").value(incident.status).key("owner").value(incident.owner);
  out.key("classification").value(incident.classification);
  out.key("classificationReason").value(incident.classification_reason);
  out.key("description").raw(raw("Description", "\"\"")).key("key").raw(raw("Key", "\"\""));
  out.key("deviceId").value(incident.device_id).key("devices").raw(raw("Devices", "[]"));
  out.key("tactics").raw(raw("Tactics", "[]")).key("techniques").raw(raw("Techniques", "[]"));
  out.key("reasons")
      .raw(raw("Reasons", "[]"))
      .key("alertCount")
      .value(static_cast<std::uint64_t>(incident.alerts.size()));
  out.key("startTime").value(incident.start).key("endTime").value(incident.end);
  out.key("createdTime").value(incident.created).key("updatedTime").value(incident.updated);
  if (incident.closed.us != 0) out.key("closedTime").value(incident.closed);
  if (!incident.merged_into.empty()) out.key("mergedInto").value(incident.merged_into);
}

struct TimelineEntry {
  Timestamp time;
  std::string json;
};

TimelineEntry entry_of(const state::Alert& alert) {
  JsonWriter out;
  out.begin_object().key("time").value(alert.start).key("kind").value("alert").key("alertId").value(alert.alert_id);
  out.key("displayName").value(alert.display_name).key("severity").value(alert.severity);
  out.key("deviceId").value(alert.device_id).key("endTime").value(alert.end).key("count").value(alert.count);
  json::error_code error;
  const json::value parsed = json::parse(alert.json, error);
  const auto* tactics = error || !parsed.is_object() ? nullptr : parsed.get_object().if_contains("Tactics");
  out.key("tactics").raw(tactics == nullptr ? std::string("[]") : json::serialize(*tactics));
  return {alert.start, out.end_object().take()};
}

TimelineEntry entry_of(const state::IncidentStep& step) {
  JsonWriter out;
  out.begin_object().key("time").value(step.time).key("kind").value(step.change).key("user").value(step.user);
  out.key("status").value(step.status);
  if (!step.owner.empty()) out.key("owner").value(step.owner);
  if (!step.classification.empty()) out.key("classification").value(step.classification);
  if (!step.comment.empty()) out.key("comment").value(step.comment);
  return {step.time, out.end_object().take()};
}

std::vector<state::Alert> alerts_of(const Call& call, const state::Incident& incident) {
  std::vector<state::Alert> out;
  for (const std::string& id : incident.alerts) {
    if (auto alert = call.parts.services.alerts.find(id)) out.push_back(*std::move(alert));
  }
  std::ranges::sort(out, {}, [](const state::Alert& alert) { return std::pair(alert.start, alert.alert_id); });
  return out;
}

Answer incident_answer(const Call& call, const state::Incident& incident) {
  const auto steps = call.parts.services.incidents->steps_of(incident.incident_id);
  if (!steps) return api_error(steps.error(), "incident");
  const auto alerts = alerts_of(call, incident);
  JsonWriter out;
  out.begin_object();
  write_summary(out, incident);
  out.key("alerts").begin_array();
  for (const state::Alert& alert : alerts) {
    out.begin_object();
    write_alert_summary(out, alert);
    out.end_object();
  }
  out.end_array();
  std::vector<TimelineEntry> timeline;
  for (const state::Alert& alert : alerts) timeline.push_back(entry_of(alert));
  for (const state::IncidentStep& step : *steps) {
    if (step.change != "updated") timeline.push_back(entry_of(step));
  }
  std::ranges::sort(timeline, {}, [](const TimelineEntry& entry) {
    return std::pair(entry.time, std::string_view(entry.json));  // of one moment in an order that stays
  });
  out.key("timeline").begin_array();
  for (const TimelineEntry& entry : timeline) out.raw(entry.json);
  return Response::json(out.end_array().end_object().take());
}

}  // namespace

std::string incident_json(const state::Incident& incident) {
  JsonWriter out;
  out.begin_object();
  write_summary(out, incident);
  return out.end_object().take();
}

Answer list_incidents(Call& call) {
  const auto* store = call.parts.services.incidents;
  if (store == nullptr) return not_offered();
  state::IncidentFilter filter;
  API_TRY(const auto limit, page_limit(call));
  API_TRY(const auto cursor, open_cursor(call));
  API_TRY(filter.status, some_of(call, "status", {"New", "Active", "Closed"}));
  API_TRY(filter.severity, some_of(call, "severity", {"Low", "Medium", "High"}));
  API_TRY(filter.device_id, text_parameter(call, "device", 128));
  API_TRY(filter.owner, text_parameter(call, "owner", 128));
  API_TRY(filter.alert_id, text_parameter(call, "alert", 64));
  API_TRY(filter.since, time_parameter(call, "since"));
  API_TRY(const auto kind, one_of(call, "kind", {"device", "campaign", "rule"}));
  API_TRY(const auto merged, one_of(call, "merged", {"true", "false"}));
  filter.kind = kind.value_or("");
  filter.merged = merged == "true";
  const auto page = store->list(filter, cursor, limit);
  if (!page) return api_error(page.error(), page.error().code == Errc::malformed ? "cursor" : "incidents");
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const state::Incident& incident : page->incidents) {
    out.begin_object();
    write_summary(out, incident);
    out.end_object();
  }
  out.end_array().key("total").value(page->total);
  if (!page->next.empty()) out.key("next_cursor").value(seal_cursor(call, page->next));
  return Response::json(out.end_object().take());
}

Answer get_incident(Call& call) {
  const auto* store = call.parts.services.incidents;
  if (store == nullptr) return not_offered();
  const auto incident = store->find(call.path_values[0]);
  if (!incident) return api_error(incident.error(), "incident");
  return incident_answer(call, *incident);
}

// The raw events of all of its alerts, oldest alert first.
Answer get_incident_events(Call& call) {
  const auto* store = call.parts.services.incidents;
  if (store == nullptr) return not_offered();
  const auto incident = store->find(call.path_values[0]);
  if (!incident) return api_error(incident.error(), "incident");
  std::vector<EvidenceName> names;
  for (const state::Alert& alert : alerts_of(call, *incident)) {
    for (EvidenceName& name : evidence_of(alert.json)) {
      if (names.size() < kEvidenceRowsMax) names.push_back(std::move(name));
    }
  }
  JsonWriter out;
  out.begin_object();
  write_raw_rows(out, call, names);
  return Response::json(out.end_object().take());
}

Answer triage_incident(Call& call) {
  const Services& services = call.parts.services;
  if (services.incidents == nullptr) return not_offered();
  const auto before = services.incidents->find(call.path_values[0]);
  if (!before) return api_error(before.error(), "incident");
  API_TRY(const auto body, JsonBody::parse(call.request, {"status", "comment", "owner", "classification",
                                                          "classificationReason", "alertStatus"}));
  API_TRY(const auto alert_status, body.text("alertStatus", 32));
  if (alert_status && *alert_status != "Active" && *alert_status != "Resolved" && *alert_status != "Dismissed") {
    return std::unexpected(invalid("alertStatus", "This must be Active, Resolved or Dismissed."));
  }
  API_TRY(const auto decision, decision_of(body, {"New", "Active", "Closed"}));
  auto after =
      services.alert_desk.triage(state::IncidentTriage{.incident_id = before->incident_id,
                                                       .user = call.caller.user,
                                                       .comment = decision.comment.value_or(""),
                                                       .time = call.now(),
                                                       .status = decision.status,
                                                       .owner = decision.owner,
                                                       .classification = decision.classification,
                                                       .classification_reason = decision.classification_reason});
  if (!after) return api_error(after.error(), "incident");
  if (alert_status) {
    for (const state::Alert& alert : alerts_of(call, *after)) {
      if (alert.status == *alert_status || (alert.status != "New" && alert.status != "Active")) continue;
      const auto done =
          services.alert_desk.triage(state::Triage{.alert_id = alert.alert_id,
                                                   .status = *alert_status,
                                                   .user = call.caller.user,
                                                   .comment = decision.comment.value_or(""),
                                                   .time = call.now(),
                                                   .owner = decision.owner,
                                                   .classification = decision.classification,
                                                   .classification_reason = decision.classification_reason});
      if (!done) return api_error(done.error(), "alert");
    }
    after = services.incidents->find(before->incident_id);
    if (!after) return api_error(after.error(), "incident");
  }
  JsonWriter audit;
  audit.begin_object().key("actor").value(call.caller.user).key("source").value(call.request.address);
  audit.key("object").value(after->incident_id).key("before").value(before->status).key("after").value(after->status);
  if (decision.owner) audit.key("owner").value(*decision.owner);
  if (decision.classification) audit.key("classification").value(*decision.classification);
  if (alert_status) audit.key("alertStatus").value(*alert_status);
  audit.end_object();
  const auto recorded = services.outbox.record("incident.triage", after->device_id, audit.take(), call.now());
  if (!recorded) return api_error(recorded.error(), "audit");
  return incident_answer(call, *after);
}

}  // namespace picket::api
