#include <algorithm>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "../json_body.h"
#include "../overview.h"
#include "../paging.h"
#include "base/core/json_writer.h"
#include "base/server/log.h"
#include "handlers.h"

namespace picket::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kCommentBytesMax = 4000;
constexpr std::size_t kEvidenceRowsMax = 100;
constexpr Duration kEvidenceTimeout = Duration::seconds(5);

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

struct EvidenceRow {
  std::int64_t position;
  std::int64_t event;
  std::int64_t item;
  std::string name;
  std::string details;
};

// Rows that still exist, by their row ids. The ids of an alert stand in its record; what was removed by retention, or
// cannot be read in time, is shown as an id only.
std::vector<EvidenceRow> read_rows(const Call& call, const json::array& evidence) {
  workspace::QueryRequest request{
      .rows_max = kEvidenceRowsMax * 16, .timeout = kEvidenceTimeout, .cancellation = call.parts.stopping};
  std::string positions;
  for (const json::value& value : evidence) {
    const auto* row = value.if_object();
    if (row == nullptr || request.binds.size() >= kEvidenceRowsMax) continue;
    request.binds.push_back(workspace::Cell::integer(number_member(*row, "Position")));
    positions += (positions.empty() ? "$" : ", $") + std::to_string(request.binds.size());
    const auto time = parse_rfc3339(text_member(*row, "TimeGenerated"));
    if (!time) continue;
    request.time_from = request.time_from ? std::min(*request.time_from, *time) : *time;
    request.time_to = request.time_to ? std::max(*request.time_to, *time) : *time;
  }
  if (positions.empty()) return {};
  request.sql =
      R"(SELECT "_position", "_event", "_item", "RawEventName", "EventDetails" FROM "RawEvents" WHERE "_position" IN ()" +
      positions + ")";
  const auto found = call.parts.services.workspace.query(request);
  if (!found) {
    log::warning("api", "evidence is not available: {}", found.error().text);
    return {};
  }
  std::vector<EvidenceRow> out;
  for (std::size_t row = 0; row < found->rows; ++row) {
    out.push_back({found->at(row, 0).as_integer(), found->at(row, 1).as_integer(), found->at(row, 2).as_integer(),
                   std::string(found->at(row, 3).as_text()), std::string(found->at(row, 4).as_text())});
  }
  return out;
}

void write_evidence(JsonWriter& out, const Call& call, const json::array& evidence) {
  const auto rows = read_rows(call, evidence);
  out.key("evidence").begin_array();
  std::size_t written = 0;
  for (const json::value& value : evidence) {
    const auto* entry = value.if_object();
    if (entry == nullptr || written++ == kEvidenceRowsMax) continue;
    out.begin_object().key("rawEventId").value(text_member(*entry, "IoTRawEventId"));
    const auto row = std::ranges::find_if(rows, [entry](const EvidenceRow& candidate) {
      return candidate.position == number_member(*entry, "Position") &&
             candidate.event == number_member(*entry, "Event") && candidate.item == number_member(*entry, "Item");
    });
    if (row != rows.end()) {
      out.key("timeGenerated").value(text_member(*entry, "TimeGenerated")).key("rawEventName").value(row->name);
      out.key("eventDetails").raw(row->details.empty() ? std::string_view("{}") : std::string_view(row->details));
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
    if (!step.comment.empty()) out.key("comment").value(step.comment);
    out.end_object();
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
  write_evidence(out, call, array_member(record, "Evidence"));
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

// A record of the derived journal; the answer comes when that is durable and applied.
Answer triage_alert(Call& call) {
  API_TRY(const auto body, JsonBody::parse(call.request, {"status", "comment"}));
  API_TRY(const auto status, body.text("status", 32));
  API_TRY(const auto comment, body.text("comment", kCommentBytesMax));
  if (!status && !comment) return std::unexpected(invalid("", "Give status, comment or both."));
  constexpr std::array<std::string_view, 4> kStatus{"New", "Active", "Resolved", "Dismissed"};
  if (status && std::ranges::find(kStatus, *status) == kStatus.end())
    return std::unexpected(invalid("status", "This must be New, Active, Resolved or Dismissed."));
  const Services& services = call.parts.services;
  const auto before = services.alerts.find(call.path_values[0]);
  if (!before) return api_error(before.error(), "alert");
  const auto alert = services.alert_desk.triage({.alert_id = before->alert_id,
                                                 .status = status.value_or(before->status),
                                                 .user = call.caller.user,
                                                 .comment = comment.value_or(""),
                                                 .time = call.now()});
  if (!alert) return api_error(alert.error(), "alert");
  JsonWriter audit;
  audit.begin_object()
      .key("actor")
      .value(call.caller.user)
      .key("source")
      .value(call.request.address)
      .key("alert")
      .value(alert->alert_id);
  audit.key("before").value(before->status).key("after").value(alert->status).end_object();
  if (const auto recorded = services.outbox.record("alert.triage", alert->device_id, audit.take(), call.now());
      !recorded)
    return api_error(recorded.error(), "audit");
  return alert_answer(call, *alert);
}

}  // namespace picket::api
