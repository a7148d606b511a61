// Types and single items of alerts and recommendations, and the pages of all lists.
#include <algorithm>
#include <charconv>

#include <boost/json.hpp>

#include "base/core/encoding.h"
#include "base/core/json_writer.h"
#include "pipeline/catalogue.h"
#include "service_resources.h"
#include "state/recommendations.h"

namespace picket::api::service {
namespace {

namespace json = boost::json;

constexpr std::string_view kBase = "Microsoft.Security/iotSecuritySolutions/";

void begin_resource(JsonWriter& out, const Target& target, std::string_view kind, const std::string& name) {
  out.begin_object().key("id").value(target.base + "/" + std::string(kind) + "/" + name).key("name").value(name);
  out.key("type").value(std::string(kBase) + std::string(kind)).key("properties").begin_object();
}

void write_list(JsonWriter& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const std::string& text : texts) out.value(text);
  out.end_array();
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ",") + text;
  return out;
}

void write_alert_type(JsonWriter& out, const Target& target, const pipeline::AlertInfo& info) {
  begin_resource(out, target, "iotAlertTypes", info.type);
  out.key("alertDisplayName").value(info.name).key("severity").value(info.severity_parity);
  out.key("description").value(info.description).key("providerName").value("IoTSecurity");
  write_list(out, "remediationSteps", info.remediation);
  out.key("intent").value(joined(info.tactics)).key("vendorName").value("Picket").end_object().end_object();
}

void write_recommendation_type(JsonWriter& out, const Target& target, const pipeline::RecommendationInfo& info) {
  begin_resource(out, target, "iotRecommendationTypes", info.type);
  out.key("recommendationDisplayName").value(info.name).key("severity").value(info.severity_parity);
  out.key("description").value(info.description).key("providerName").value("IoTSecurity");
  write_list(out, "remediationSteps", info.remediation);
  out.key("vendorName").value("Picket").key("control").value(info.control);
  out.key("dataSource").value(info.data_source).end_object().end_object();
}

std::string member_of(std::string_view text, const char* name, std::string_view fallback) {
  json::error_code error;
  const json::value parsed = json::parse({text.data(), text.size()}, error);
  const auto* value = error || !parsed.is_object() ? nullptr : parsed.get_object().if_contains(name);
  return value == nullptr ? std::string(fallback) : json::serialize(*value);
}

void write_alert(JsonWriter& out, const Target& target, const state::Alert& alert) {
  begin_resource(out, target, "iotAlerts", alert.alert_id);
  out.key("systemAlertId").value(alert.alert_id);
  out.key("compromisedEntity").value(alert.device_id.empty() ? alert.hub : alert.device_id);
  out.key("alertType")
      .value(alert.alert_type)
      .key("startTimeUtc")
      .value(alert.start)
      .key("endTimeUtc")
      .value(alert.end);
  out.key("entities").raw(member_of(alert.json, "Entities", "[]"));
  out.key("extendedProperties").raw(member_of(alert.json, "ExtendedProperties", "{}")).end_object().end_object();
}

void write_recommendation(JsonWriter& out, const Target& target, const state::Recommendation& one) {
  begin_resource(out, target, "iotRecommendations", one.type + "|" + one.device_id);
  out.key("recommendationType").value(one.type).key("deviceId").value(one.device_id);
  out.key("discoveredTimeUtc").value(one.updated);
  out.key("recommendationAdditionalData").raw(member_of(one.json, "AdditionalData", "{}")).end_object().end_object();
}

/// `$skipToken` of lists that have a cursor of their own.
std::string cursor_link(const Call& call, const std::string& cursor) {
  const auto bytes = as_bytes(cursor);
  return next_link(call, 0) + "&$skipToken=" + to_hex(bytes);
}

std::expected<std::string, ServiceError> cursor_of(const Call& call) {
  const auto token = call.parameter("$skipToken");
  if (!token) return std::string();
  const auto bytes = from_hex(*token);
  if (!bytes) return std::unexpected(bad_request("$skipToken is not one of this list."));
  return std::string(as_text(*bytes));
}

std::expected<std::size_t, ServiceError> limit_of(const Call& call) {
  const auto text = call.parameter("$limit").value_or("100");
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc{} || end != text.data() + text.size() || limit == 0 || limit > 500) {
    return std::unexpected(bad_request("$limit must be 1 to 500."));
  }
  return limit;
}

}  // namespace

ServiceError bad_request(std::string message) { return {400, "BadRequest", std::move(message)}; }
ServiceError internal() { return {500, "InternalServerError", "The server failed; its log says why."}; }

std::expected<Page, ServiceError> page_of(const Call& call) {
  Page out;
  const auto read = [&](const char* name, std::size_t& value, std::size_t min, std::size_t max) {
    const auto text = call.parameter(name);
    if (!text) return true;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    return error == std::errc{} && end == text->data() + text->size() && value >= min && value <= max;
  };
  if (!read("$top", out.count, 1, 500)) return std::unexpected(bad_request("$top must be 1 to 500."));
  if (!read("$skipToken", out.skip, 0, 10'000'000)) {
    return std::unexpected(bad_request("$skipToken is not one of this list."));
  }
  return out;
}

std::string next_link(const Call& call, std::size_t skip) {
  std::string out = "https://" + std::string(call.request.header("host")) + call.request.path + "?";
  for (const auto& [name, value] : call.query) {
    if (name == "$skipToken") continue;
    out += (out.ends_with('?') ? "" : "&") + percent_encode(name) + "=" + percent_encode(value);
  }
  if (skip > 0) out += "&$skipToken=" + std::to_string(skip);
  return out;
}

ServiceAnswer alert_types(const Call&, const Target& target) {
  JsonWriter out;
  const auto& catalogue = pipeline::Catalogue::builtin();
  if (target.path.size() > 1) {
    const auto* info = target.path.size() == 2 ? catalogue.find_any(target.path[1]) : nullptr;
    if (info == nullptr) return std::unexpected(ServiceError{});
    write_alert_type(out, target, *info);
    return Response::json(out.take());
  }
  out.begin_object().key("value").begin_array();
  for (const auto& [type, info] : catalogue.all()) write_alert_type(out, target, info);
  return Response::json(out.end_array().end_object().take());
}

ServiceAnswer recommendation_types(const Call&, const Target& target) {
  JsonWriter out;
  const auto& catalogue = pipeline::RecommendationCatalogue::builtin();
  if (target.path.size() > 1) {
    const auto* info = target.path.size() == 2 ? catalogue.find(target.path[1]) : nullptr;
    if (info == nullptr) return std::unexpected(ServiceError{});
    write_recommendation_type(out, target, *info);
    return Response::json(out.take());
  }
  out.begin_object().key("value").begin_array();
  for (const auto& [type, info] : catalogue.all()) write_recommendation_type(out, target, info);
  return Response::json(out.end_array().end_object().take());
}

ServiceAnswer alerts(const Call& call, const Target& target) {
  const auto& store = call.parts.services.alerts;
  JsonWriter out;
  if (target.path.size() > 1) {
    const auto alert = store.find(target.path[1]);
    if (!alert || target.path.size() > 2) return std::unexpected(ServiceError{});
    write_alert(out, target, *alert);
    return Response::json(out.take());
  }
  state::AlertFilter filter;
  filter.alert_type = call.parameter("alertType").value_or("");
  filter.device_id = call.parameter("compromisedEntity").value_or("");
  for (const auto& [name, bound] :
       {std::pair("startTimeUtc>", &filter.since), std::pair("startTimeUtc<", &filter.until)}) {
    const auto text = call.parameter(name);
    if (!text) continue;
    const auto time = parse_rfc3339(*text);
    if (!time) return std::unexpected(bad_request(std::string(name) + " is no time."));
    *bound = *time;
  }
  const auto limit = limit_of(call);
  if (!limit) return std::unexpected(limit.error());
  const auto cursor = cursor_of(call);
  if (!cursor) return std::unexpected(cursor.error());
  const auto page = store.list(filter, *cursor, *limit);
  if (!page)
    return std::unexpected(page.error().code == Errc::malformed ? bad_request("$skipToken is not one of this list.")
                                                                : internal());
  out.begin_object().key("value").begin_array();
  for (const state::Alert& alert : page->alerts) write_alert(out, target, alert);
  out.end_array().key("totalCount").value(page->total);
  if (!page->next.empty()) out.key("nextLink").value(cursor_link(call, page->next));
  return Response::json(out.end_object().take());
}

ServiceAnswer recommendations(const Call& call, const Target& target) {
  const auto* store = call.parts.services.recommendations;
  if (store == nullptr) return std::unexpected(internal());
  JsonWriter out;
  state::RecommendationFilter filter{.hub = {},
                                     .state = "Active",
                                     .type = call.parameter("recommendationType").value_or(""),
                                     .device_id = call.parameter("deviceId").value_or(""),
                                     .severity = {}};
  if (target.path.size() > 1) {
    const std::size_t bar = target.path[1].find('|');
    if (target.path.size() > 2 || bar == std::string::npos) return std::unexpected(ServiceError{});
    filter.type = target.path[1].substr(0, bar);
    filter.device_id = target.path[1].substr(bar + 1);
    const auto page = store->list(filter, "", 1);
    if (!page) return std::unexpected(internal());
    if (page->recommendations.empty()) return std::unexpected(ServiceError{});
    write_recommendation(out, target, page->recommendations[0]);
    return Response::json(out.take());
  }
  const auto limit = limit_of(call);
  if (!limit) return std::unexpected(limit.error());
  const auto cursor = cursor_of(call);
  if (!cursor) return std::unexpected(cursor.error());
  const auto page = store->list(filter, *cursor, *limit);
  if (!page)
    return std::unexpected(page.error().code == Errc::malformed ? bad_request("$skipToken is not one of this list.")
                                                                : internal());
  out.begin_object().key("value").begin_array();
  for (const auto& one : page->recommendations) write_recommendation(out, target, one);
  out.end_array().key("totalCount").value(page->total);
  if (!page->next.empty()) out.key("nextLink").value(cursor_link(call, page->next));
  return Response::json(out.end_object().take());
}

}  // namespace picket::api::service
