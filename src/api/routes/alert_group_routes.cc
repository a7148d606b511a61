// Alerts by name and day, as the portal's list shows them; a group is dismissed as a whole.
#include "../json_body.h"
#include "../paging.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "pipeline/catalogue.h"

namespace picket::api {
namespace {

void write_group(JsonWriter& out, const state::AlertGroup& group) {
  out.begin_object().key("alertType").value(group.alert_type).key("displayName").value(group.display_name);
  out.key("date").value(format_rfc3339(group.day).substr(0, 10)).key("severity").value(group.severity);
  if (!group.device_id.empty()) out.key("deviceId").value(group.device_id);
  out.key("alerts").value(group.alerts).key("count").value(group.count).key("devices").value(group.devices);
  out.key("open").value(group.open).key("startTime").value(group.start).key("endTime").value(group.end);
  out.end_object();
}

/// "2026-11-22".
std::expected<Timestamp, ApiError> day_of(std::string_view text) {
  const auto day = text.size() == 10 ? parse_rfc3339(std::string(text) + "T00:00:00Z")
                                     : Result<Timestamp>(fail(Errc::malformed, "day"));
  if (!day) return std::unexpected(invalid("date", "This must be a date such as 2026-11-22."));
  return *day;
}

}  // namespace

Answer list_alert_groups(Call& call) {
  state::AlertGroupFilter filter;
  API_TRY(const auto limit, page_limit(call));
  API_TRY(const auto cursor, open_cursor(call));
  API_TRY(filter.since, time_parameter(call, "since"));
  API_TRY(filter.until, time_parameter(call, "until"));
  API_TRY(filter.alert_type, text_parameter(call, "type", 128));
  API_TRY(filter.device_id, text_parameter(call, "device", 128));
  API_TRY(const auto by, one_of(call, "by", {"name", "device"}));
  API_TRY(const auto open, one_of(call, "open", {"true", "false"}));
  filter.by_device = by == "device";
  filter.open_only = open == "true";
  std::size_t skip = 0;
  for (const char c : cursor) {
    if (c < '0' || c > '9' || skip > 10'000'000) return std::unexpected(invalid("cursor", "This is no cursor."));
    skip = skip * 10 + static_cast<std::size_t>(c - '0');
  }
  const auto found = call.parts.services.alerts.groups(filter, skip, limit);
  if (!found) return api_error(found.error(), "alerts");
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const state::AlertGroup& group : found->first) write_group(out, group);
  const std::size_t end = skip + found->first.size();
  out.end_array().key("total").value(found->first.empty() ? std::uint64_t{0} : found->second);
  if (!found->first.empty() && end < found->second)
    out.key("next_cursor").value(seal_cursor(call, std::to_string(end)));
  return Response::json(out.end_object().take());
}

Answer triage_alert_group(Call& call) {
  API_TRY(const auto body, JsonBody::parse(call.request, {"alertType", "date", "status", "comment"}));
  API_TRY(const auto type, body.required_text("alertType", 128));
  API_TRY(const auto date, body.required_text("date", 10));
  API_TRY(const auto status, body.text("status", 32));
  API_TRY(const auto comment, body.text("comment", 4000));
  API_TRY(const auto day, day_of(date));
  const std::string to = status.value_or("Dismissed");
  if (to != "Dismissed" && to != "New" && to != "Active" && to != "Resolved") {
    return std::unexpected(invalid("status", "This must be New, Active, Resolved or Dismissed."));
  }
  return dismiss_group(call, type, day, to, comment.value_or(""));
}

Answer dismiss_group(const Call& call, const std::string& type, Timestamp day, const std::string& status,
                     const std::string& comment) {
  const Services& services = call.parts.services;
  const auto* info = pipeline::Catalogue::builtin().find_any(type);
  const std::string name = info == nullptr ? type : info->type;
  const auto done = services.alert_desk.triage({.alert_id = "",
                                                .status = status,
                                                .user = call.caller.user,
                                                .comment = comment,
                                                .time = call.now(),
                                                .group_type = name,
                                                .group_day = day});
  if (!done && done.error().code != Errc::not_found) return api_error(done.error(), "alerts");
  JsonWriter audit;
  audit.begin_object().key("actor").value(call.caller.user).key("source").value(call.request.address);
  audit.key("object").value(name).key("date").value(format_rfc3339(day).substr(0, 10));
  audit.key("after").value(status).end_object();
  const auto recorded = services.outbox.record("alert_group.triage", "", audit.take(), call.now());
  if (!recorded) return api_error(recorded.error(), "audit");
  return Response::empty();
}

}  // namespace picket::api
