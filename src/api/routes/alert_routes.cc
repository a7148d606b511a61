#include <algorithm>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "../evidence.h"
#include "../json_body.h"
#include "../overview.h"
#include "../paging.h"
#include "base/core/json_writer.h"
#include "base/server/log.h"
#include "decision.h"
#include "handlers.h"
#include "pipeline/attack.h"

namespace picket::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kIncidentsShown = 20;
constexpr std::size_t kOwnerBytesMax = 128;

state::AlertSort sort_of(std::string_view name) {
  if (name == "severity") return state::AlertSort::severity;
  if (name == "status") return state::AlertSort::status;
  if (name == "displayName") return state::AlertSort::display_name;
  if (name == "deviceId") return state::AlertSort::device_id;
  return state::AlertSort::start;
}

std::expected<state::AlertFilter, ApiError> filter_of(const Call& call) {
  state::AlertFilter out;
  API_TRY(out.status, some_of(call, "status", {"New", "Active", "Resolved", "Dismissed"}));
  API_TRY(out.severity, some_of(call, "severity", {"Informational", "Low", "Medium", "High"}));
  API_TRY(out.device_id, text_parameter(call, "device", 128));
  API_TRY(out.alert_type, text_parameter(call, "type", 128));
  API_TRY(out.text, text_parameter(call, "q", 256));
  API_TRY(out.since, time_parameter(call, "since"));
  API_TRY(out.until, time_parameter(call, "until"));
  API_TRY(out.owner, text_parameter(call, "owner", kOwnerBytesMax));
  API_TRY(out.classification, text_parameter(call, "classification", 32));
  API_TRY(out.suppressed_by, text_parameter(call, "suppressedBy", 128));
  API_TRY(out.incident_id, text_parameter(call, "incident", 64));
  API_TRY(const auto sort, one_of(call, "sort",
                                  {"startTime", "-startTime", "severity", "-severity", "status", "-status",
                                   "displayName", "-displayName", "deviceId", "-deviceId"}));
  if (sort) {
    out.descending = sort->starts_with('-');
    out.sort = sort_of(std::string_view(*sort).substr(out.descending ? 1 : 0));
  }
  return out;
}

const json::value* member(const json::object& object, const char* name) { return object.if_contains(name); }

std::string text_member(const json::object& object, const char* name) {
  const auto* value = member(object, name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string{};
}

std::int64_t number_member(const json::object& object, const char* name) {
  const auto* value = member(object, name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

const json::array& array_member(const json::object& object, const char* name) {
  static const json::array kNone;
  const auto* value = member(object, name);
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

void write_member(JsonWriter& out, const char* to, const json::object& object, const char* from,
                  std::string_view otherwise) {
  const auto* value = member(object, from);
  out.key(to).raw(value != nullptr ? std::string_view(json::serialize(*value)) : otherwise);
}

void write_evidence(JsonWriter& out, const Call& call, const std::vector<EvidenceName>& names) {
  const auto rows = read_raw_rows(call, names);
  out.key("evidence").begin_array();
  for (const EvidenceName& name : names) {
    out.begin_object().key("rawEventId").value(name.raw_event_id);
    const auto row = std::ranges::find_if(rows, [&](const RawRow& one) {
      return one.name.position == name.position && one.name.event == name.event && one.name.item == name.item;
    });
    if (row != rows.end()) {
      out.key("timeGenerated").value(name.time);
      for (const auto& [column, value] : row->columns) {
        const bool hub = row->table == "HubOperations";
        if (column == (hub ? "Kind" : "RawEventName")) out.key("rawEventName").raw(value);
        if (column == (hub ? "Details" : "EventDetails")) out.key("eventDetails").raw(value);
      }
    }
    out.end_object();
  }
  out.end_array();
}

void write_history(JsonWriter& out, const state::Alert& alert, const std::vector<state::Triage>& triage) {
  const auto entry = [&out](Timestamp time, std::string_view user, std::string_view change) {
    out.begin_object().key("time").value(time).key("user").value(user).key("change").value(change);
  };
  out.key("changes").begin_array();
  entry(alert.start, "picket", "raised");
  out.key("status").value("New").end_object();
  if (alert.change > 0) {
    entry(alert.end, "picket", "updated");
    out.end_object();
  }
  for (const state::Triage& step : triage) {
    entry(step.time, step.user, "triaged");
    out.key("status").value(step.status);
    if (step.owner) out.key("owner").value(*step.owner);
    if (step.classification) out.key("classification").value(*step.classification);
    if (step.classification_reason) out.key("classificationReason").value(*step.classification_reason);
    if (!step.comment.empty()) out.key("comment").value(step.comment);
    out.end_object();
  }
  out.end_array();
}

/// Techniques by the ids that they had before ATT&CK v19.
void write_aliases(JsonWriter& out, const json::object& record) {
  out.key("techniqueAliases").begin_array();
  for (const char* const list : {"Techniques", "SubTechniques"}) {
    for (const json::value& id : array_member(record, list)) {
      if (!id.is_string()) continue;
      for (const auto former : pipeline::former_techniques(id.get_string())) out.value(former);
    }
  }
  out.end_array();
}

void write_incidents(JsonWriter& out, const Call& call, const std::string& alert_id) {
  out.key("incidents").begin_array();
  const auto* store = call.parts.services.incidents;
  const auto page = store == nullptr ? Result<state::IncidentPage>(state::IncidentPage{})
                                     : store->list({.alert_id = alert_id, .merged = true}, "", kIncidentsShown);
  if (page) {
    for (const state::Incident& incident : page->incidents) {
      out.begin_object().key("id").value(incident.incident_id).key("number").value(incident.number);
      out.key("title").value(incident.title).key("status").value(incident.status).end_object();
    }
  }
  out.end_array();
}

Answer alert_answer(const Call& call, const state::Alert& alert) {
  const auto triage = call.parts.services.alerts.triage_of(alert.alert_id);
  if (!triage) return api_error(triage.error(), "alert");
  boost::system::error_code error;
  const json::value parsed = json::parse(alert.json, error);
  static const json::object kNone;
  const json::object& record = parsed.is_object() ? parsed.get_object() : kNone;
  JsonWriter out;
  out.begin_object();
  write_alert_summary(out, alert);
  out.key("description").value(text_member(record, "Description"));
  write_member(out, "remediationSteps", record, "RemediationSteps", "[]");
  write_member(out, "tactics", record, "Tactics", "[]");
  write_member(out, "techniques", record, "Techniques", "[]");
  write_member(out, "subTechniques", record, "SubTechniques", "[]");
  if (const auto rule = text_member(record, "Rule"); !rule.empty()) out.key("rule").value(rule);
  if (!alert.module_id.empty()) out.key("moduleId").value(alert.module_id);
  write_member(out, "extendedProperties", record, "ExtendedProperties", "{}");
  write_member(out, "entities", record, "Entities", "[]");
  write_aliases(out, record);
  if (const auto group = text_member(record, "Group"); !group.empty()) out.key("group").value(group);
  write_incidents(out, call, alert.alert_id);
  write_evidence(out, call, evidence_of(alert.json));
  out.key("evidenceTotal").value(number_member(record, "EvidenceCount"));
  write_history(out, alert, *triage);
  return Response::json(out.end_object().take());
}

}  // namespace

Answer list_alerts(Call& call) {
  API_TRY(const auto filter, filter_of(call));
  API_TRY(const auto limit, page_limit(call));
  API_TRY(const auto cursor, open_cursor(call));
  const auto page = call.parts.services.alerts.list(filter, cursor, limit);
  if (!page) return api_error(page.error(), page.error().code == Errc::malformed ? "cursor" : "alerts");
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const state::Alert& alert : page->alerts) {
    out.begin_object();
    write_alert_summary(out, alert);
    out.end_object();
  }
  out.end_array().key("total").value(page->total);
  if (!page->next.empty()) out.key("next_cursor").value(seal_cursor(call, page->next));
  return Response::json(out.end_object().take());
}

Answer get_alert(Call& call) {
  const auto alert = call.parts.services.alerts.find(call.path_values[0]);
  if (!alert) return api_error(alert.error(), "alert");
  return alert_answer(call, *alert);
}

Answer get_alert_events(Call& call) {
  const auto alert = call.parts.services.alerts.find(call.path_values[0]);
  if (!alert) return api_error(alert.error(), "alert");
  JsonWriter out;
  out.begin_object();
  write_raw_rows(out, call, evidence_of(alert->json));
  return Response::json(out.end_object().take());
}

namespace {

std::expected<state::Triage, ApiError> triage_of(const Call& call, const state::Alert& before) {
  API_TRY(const auto body,
          JsonBody::parse(call.request, {"status", "comment", "owner", "classification", "classificationReason"}));
  API_TRY(const auto decision, decision_of(body, {"New", "Active", "Resolved", "Dismissed"}));
  return state::Triage{.alert_id = before.alert_id,
                       .status = decision.status.value_or(before.status),
                       .user = call.caller.user,
                       .comment = decision.comment.value_or(""),
                       .time = call.now(),
                       .owner = decision.owner,
                       .classification = decision.classification,
                       .classification_reason = decision.classification_reason};
}

// A record of the derived journal; the answer comes when that is durable and applied.
Answer decide(const Call& call, const state::Alert& before, const state::Triage& triage) {
  const Services& services = call.parts.services;
  const auto alert = services.alert_desk.triage(triage);
  if (!alert) return api_error(alert.error(), "alert");
  JsonWriter audit;
  audit.begin_object().key("actor").value(call.caller.user).key("source").value(call.request.address);
  audit.key("alert").value(alert->alert_id).key("before").value(before.status).key("after").value(alert->status);
  if (triage.owner) audit.key("owner").value(*triage.owner);
  if (triage.classification) audit.key("classification").value(*triage.classification);
  audit.end_object();
  if (const auto recorded = services.outbox.record("alert.triage", alert->device_id, audit.take(), call.now());
      !recorded)
    return api_error(recorded.error(), "audit");
  return alert_answer(call, *alert);
}

}  // namespace

Answer triage_alert(Call& call) {
  const auto before = call.parts.services.alerts.find(call.path_values[0]);
  if (!before) return api_error(before.error(), "alert");
  API_TRY(const auto triage, triage_of(call, *before));
  return decide(call, *before, triage);
}

// The status before the last decision that changed it.
Answer undo_alert(Call& call) {
  const Services& services = call.parts.services;
  const auto alert = services.alerts.find(call.path_values[0]);
  if (!alert) return api_error(alert.error(), "alert");
  const auto steps = services.alerts.triage_of(alert->alert_id);
  if (!steps) return api_error(steps.error(), "alert");
  std::string before = "New";
  bool changed = false;
  for (const state::Triage& step : *steps) {
    if (step.status == alert->status) continue;
    before = step.status;
  }
  changed = before != alert->status;
  if (!changed) return std::unexpected(invalid("status", "Nobody has changed the status of this alert."));
  return decide(call, *alert,
                {.alert_id = alert->alert_id,
                 .status = before,
                 .user = call.caller.user,
                 .comment = "Undone.",
                 .time = call.now()});
}

}  // namespace picket::api
