#include "router.h"

#include <array>

#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/json_writer.h"
#include "base/server/log.h"
#include "routes/handlers.h"

namespace picket::api {
namespace {

constexpr std::array kRoutes{
    Route{"POST", "/sign-in", Access::open, sign_in},
    Route{"POST", "/sign-out", Access::reader, sign_out},
    Route{"GET", "/me", Access::reader, get_me},
    Route{"POST", "/me/secret", Access::reader, change_own_secret},
    Route{"GET", "/overview", Access::reader, get_overview},
    Route{"GET", "/status", Access::reader, get_status},
    Route{"GET", "/events", Access::reader, stream_events},
    Route{"GET", "/devices", Access::reader, list_devices},
    Route{"POST", "/devices", Access::contributor, create_device},
    Route{"GET", "/devices/{device_id}", Access::reader, get_device},
    Route{"PATCH", "/devices/{device_id}", Access::contributor, update_device},
    Route{"DELETE", "/devices/{device_id}", Access::contributor, delete_device},
    Route{"POST", "/devices/{device_id}/modules", Access::contributor, create_module},
    Route{"DELETE", "/devices/{device_id}/modules/{module_id}", Access::contributor, delete_module},
    Route{"GET", "/devices/{device_id}/connection-string", Access::admin, get_connection_string},
    Route{"GET", "/devices/{device_id}/twin", Access::reader, get_twin},
    Route{"PATCH", "/devices/{device_id}/twin", Access::contributor, patch_twin},
    Route{"POST", "/devices/{device_id}/methods", Access::contributor, call_method},
    Route{"POST", "/devices/{device_id}/messages", Access::contributor, send_message},
    Route{"DELETE", "/devices/{device_id}/messages", Access::contributor, purge_messages},
    Route{"POST", "/devices/{device_id}/response", Access::admin, respond},
    Route{"GET", "/response/key", Access::reader, get_response_key},
    Route{"GET", "/hubs", Access::reader, list_hubs},
    Route{"POST", "/hubs", Access::admin, create_hub},
    Route{"GET", "/hubs/{hub}", Access::reader, get_hub},
    Route{"PATCH", "/hubs/{hub}", Access::admin, update_hub},
    Route{"DELETE", "/hubs/{hub}", Access::admin, delete_hub},
    Route{"GET", "/hubs/{hub}/settings", Access::reader, get_hub_settings},
    Route{"PUT", "/hubs/{hub}/settings", Access::admin, put_hub_settings},
    Route{"GET", "/hubs/{hub}/policies", Access::reader, list_policies},
    Route{"POST", "/hubs/{hub}/policies", Access::admin, create_policy},
    Route{"DELETE", "/hubs/{hub}/policies/{policy}", Access::admin, delete_policy},
    Route{"POST", "/hubs/{hub}/policies/{policy}/rotate", Access::admin, rotate_policy},
    Route{"GET", "/hubs/{hub}/policies/{policy}/connection-string", Access::admin, get_policy_connection_string},
    Route{"GET", "/hubs/{hub}/certificates", Access::reader, list_certificates},
    Route{"POST", "/hubs/{hub}/certificates", Access::admin, add_certificate},
    Route{"DELETE", "/hubs/{hub}/certificates/{certificate}", Access::admin, delete_certificate},
    Route{"POST", "/hubs/{hub}/certificates/{certificate}/code", Access::admin, new_certificate_code},
    Route{"POST", "/hubs/{hub}/certificates/{certificate}/verify", Access::admin, verify_certificate},
    Route{"GET", "/hubs/{hub}/revocations", Access::reader, list_revocations},
    Route{"POST", "/hubs/{hub}/revocations", Access::admin, revoke_certificate},
    Route{"DELETE", "/hubs/{hub}/revocations/{thumbprint}", Access::admin, restore_certificate},
    Route{"GET", "/hubs/{hub}/diagnostics", Access::reader, export_diagnostics},
    Route{"GET", "/intelligence", Access::reader, list_intelligence},
    Route{"PUT", "/intelligence/{table}", Access::admin, put_intelligence},
    Route{"GET", "/intelligence/feeds", Access::reader, list_feeds},
    Route{"GET", "/intelligence/feeds/{name}", Access::reader, get_feed},
    Route{"PUT", "/intelligence/feeds/{name}", Access::admin, put_feed},
    Route{"DELETE", "/intelligence/feeds/{name}", Access::admin, delete_feed},
    Route{"POST", "/intelligence/feeds/{name}/refresh", Access::contributor, refresh_feed},
    Route{"PUT", "/intelligence/feeds/{name}/content", Access::admin, put_feed_content},
    Route{"GET", "/intelligence/set", Access::reader, get_indicator_set},
    Route{"GET", "/intelligence/lookup", Access::reader, look_up_indicator},
    Route{"GET", "/intelligence/indicators", Access::reader, list_indicators},
    Route{"POST", "/intelligence/indicators", Access::contributor, add_indicator},
    Route{"DELETE", "/intelligence/indicators/{kind}/{value}", Access::contributor, delete_indicator},
    Route{"GET", "/intelligence/retro-hunts", Access::reader, list_retro_hunts},
    Route{"POST", "/intelligence/retro-hunts", Access::contributor, start_retro_hunt},
    Route{"PUT", "/devices/{device_id}/deployment", Access::contributor, put_deployment},
    Route{"GET", "/recommendations", Access::reader, list_recommendations},
    Route{"GET", "/posture", Access::reader, get_posture},
    Route{"GET", "/posture/devices", Access::reader, list_device_scores},
    Route{"GET", "/posture/devices/{device_id}", Access::reader, get_device_score},
    Route{"GET", "/exemptions", Access::reader, list_exemptions},
    Route{"POST", "/exemptions", Access::contributor, create_exemption},
    Route{"DELETE", "/exemptions/{id}", Access::contributor, delete_exemption},
    Route{"GET", "/recommendation-types", Access::reader, list_recommendation_types},
    Route{"PATCH", "/recommendation-types/{type}", Access::admin, set_recommendation_type},
    Route{"GET", "/rules", Access::reader, list_rules},
    Route{"GET", "/rules/{id}", Access::reader, get_rule},
    Route{"PATCH", "/rules/{id}", Access::contributor, set_rule},
    Route{"GET", "/sbom/components", Access::reader, list_software},
    Route{"GET", "/sbom/devices/{device_id}", Access::reader, list_device_software},
    Route{"GET", "/sbom/devices/{device_id}/document", Access::reader, get_device_sbom},
    Route{"PUT", "/sbom/devices/{device_id}/documents/{name}", Access::contributor, put_device_document},
    Route{"DELETE", "/sbom/devices/{device_id}/documents/{name}", Access::contributor, delete_device_document},
    Route{"GET", "/vulnerabilities", Access::reader, list_vulnerabilities},
    Route{"GET", "/vulnerabilities/{id}", Access::reader, get_vulnerability},
    Route{"GET", "/devices/{device_id}/vulnerabilities", Access::reader, list_device_vulnerabilities},
    Route{"GET", "/devices/{device_id}/vulnerabilities/{id}", Access::reader, explain_device_vulnerability},
    Route{"GET", "/advisory-feeds", Access::reader, list_advisory_feeds},
    Route{"PUT", "/advisory-feeds/{name}", Access::admin, put_advisory_feed},
    Route{"DELETE", "/advisory-feeds/{name}", Access::admin, delete_advisory_feed},
    Route{"POST", "/advisory-feeds/{name}/refresh", Access::contributor, refresh_advisory_feed},
    Route{"PUT", "/advisory-feeds/{name}/content", Access::admin, put_advisory_feed_content},
    Route{"GET", "/vulnerability-statements", Access::reader, export_statements},
    Route{"GET", "/vex", Access::reader, list_vex},
    Route{"GET", "/vex/{name}", Access::reader, get_vex},
    Route{"PUT", "/vex/{name}", Access::contributor, put_vex},
    Route{"DELETE", "/vex/{name}", Access::contributor, delete_vex},
    Route{"GET", "/rule-files/{name}", Access::reader, get_rule_file},
    Route{"PUT", "/rule-files/{name}", Access::contributor, put_rule_file},
    Route{"DELETE", "/rule-files/{name}", Access::contributor, delete_rule_file},
    Route{"GET", "/security-groups", Access::reader, list_security_groups},
    Route{"GET", "/security-groups/{name}", Access::reader, get_security_group},
    Route{"PUT", "/security-groups/{name}", Access::contributor, put_security_group},
    Route{"DELETE", "/security-groups/{name}", Access::contributor, delete_security_group},
    Route{"GET", "/provisioning", Access::reader, get_provisioning},
    Route{"GET", "/hubs/{hub}/routing", Access::reader, get_routing},
    Route{"PUT", "/hubs/{hub}/routing", Access::admin, put_routing},
    Route{"POST", "/hubs/{hub}/routing/test", Access::reader, test_routing},
    Route{"GET", "/alerts", Access::reader, list_alerts},
    Route{"GET", "/alerts/{id}", Access::reader, get_alert},
    Route{"PATCH", "/alerts/{id}", Access::contributor, triage_alert},
    Route{"POST", "/alerts/{id}/undo", Access::contributor, undo_alert},
    Route{"GET", "/alerts/{id}/events", Access::reader, get_alert_events},
    Route{"GET", "/alert-groups", Access::reader, list_alert_groups},
    Route{"POST", "/alert-groups/triage", Access::contributor, triage_alert_group},
    Route{"GET", "/incidents", Access::reader, list_incidents},
    Route{"GET", "/incidents/{id}", Access::reader, get_incident},
    Route{"PATCH", "/incidents/{id}", Access::contributor, triage_incident},
    Route{"GET", "/incidents/{id}/events", Access::reader, get_incident_events},
    Route{"GET", "/suppressions", Access::reader, list_suppressions},
    Route{"GET", "/suppressions/{id}", Access::reader, get_suppression},
    Route{"PUT", "/suppressions/{id}", Access::contributor, put_suppression},
    Route{"DELETE", "/suppressions/{id}", Access::contributor, delete_suppression},
    Route{"POST", "/query", Access::reader, run_query},
    Route{"POST", "/query/export", Access::reader, export_query},
    Route{"GET", "/workspace/tables", Access::reader, list_workspace_tables},
    Route{"PUT", "/workspace/tables/{table}/retention", Access::admin, put_table_retention},
    Route{"DELETE", "/workspace/tables/{table}/retention", Access::admin, delete_table_retention},
    Route{"GET", "/queries", Access::reader, list_queries},
    Route{"DELETE", "/queries/{id}", Access::reader, cancel_query},
    Route{"GET", "/schema", Access::reader, get_schema},
    Route{"GET", "/saved-queries", Access::reader, list_saved_queries},
    Route{"GET", "/saved-queries/{name}", Access::reader, get_saved_query},
    Route{"PUT", "/saved-queries/{name}", Access::contributor, put_saved_query},
    Route{"DELETE", "/saved-queries/{name}", Access::contributor, delete_saved_query},
    Route{"GET", "/functions", Access::reader, list_functions},
    Route{"GET", "/functions/{name}", Access::reader, get_function},
    Route{"PUT", "/functions/{name}", Access::contributor, put_function},
    Route{"DELETE", "/functions/{name}", Access::contributor, delete_function},
    Route{"GET", "/analytics-rules", Access::reader, list_analytics_rules},
    Route{"POST", "/analytics-rules", Access::contributor, import_analytics_rules},
    Route{"POST", "/analytics-rules/trials", Access::reader, try_analytics_rule},
    Route{"GET", "/analytics-rules/{id}", Access::reader, get_analytics_rule},
    Route{"PATCH", "/analytics-rules/{id}", Access::contributor, set_analytics_rule},
    Route{"DELETE", "/analytics-rules/{id}", Access::contributor, delete_analytics_rule},
    Route{"GET", "/workbooks", Access::reader, list_workbooks},
    Route{"POST", "/workbooks", Access::contributor, import_workbooks},
    Route{"POST", "/workbooks/check", Access::reader, check_workbooks},
    Route{"GET", "/workbooks/{name}", Access::reader, get_workbook},
    Route{"PUT", "/workbooks/{name}", Access::contributor, put_workbook},
    Route{"DELETE", "/workbooks/{name}", Access::contributor, delete_workbook},
    Route{"POST", "/workbooks/{name}/run", Access::reader, run_workbook},
    Route{"GET", "/users", Access::admin, list_users},
    Route{"POST", "/users", Access::admin, create_user},
    Route{"DELETE", "/users/{user}", Access::admin, delete_user},
    Route{"GET", "/audit", Access::admin, list_audit},
};

// Takes the next segment off `path`, which begins with '/' when there is one.
std::optional<std::string_view> next_segment(std::string_view& path) {
  if (!path.starts_with('/')) return std::nullopt;
  path.remove_prefix(1);
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

// Values of the pattern's names when `path` fits it.
std::optional<std::vector<std::string>> match(std::string_view pattern, std::string_view path) {
  std::vector<std::string> values;
  for (;;) {
    const auto expected = next_segment(pattern);
    const auto actual = next_segment(path);
    if (!expected || !actual)
      return !expected && !actual && path.empty() ? std::optional(std::move(values)) : std::nullopt;
    if (expected->starts_with('{')) {
      const auto value = percent_decode(*actual);
      if (!value || value->empty() || !is_utf8(*value)) return std::nullopt;
      values.push_back(*value);
    } else if (*expected != *actual) {
      return std::nullopt;
    }
  }
}

bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD"; }

bool may(const Caller& caller, Access access) {
  return static_cast<int>(caller.role) >= static_cast<int>(access) - static_cast<int>(Access::reader);
}

void record_denied(const Parts& parts, const Request& request, std::string_view user) {
  JsonWriter body;
  body.begin_object().key("actor").value(user).key("source").value(request.address);
  body.key("method").value(request.method).key("path").value(request.path.substr(0, 256)).end_object();
  const auto recorded = parts.services.outbox.record("session.denied", "", body.take(), parts.services.clock.now());
  if (!recorded) log::error("api", "a denied call was not recorded: {}", describe(recorded.error()));
}

Response call_route(const Parts& parts, const Route& route, Call& call) {
  if (auto error = authorize(parts, route.access, call)) return Response::error(*error);
  auto query = parse_query(call.request.query);
  if (!query) return Response::error({.code = "bad_request"});
  call.query = *std::move(query);
  auto answer = route.handler(call);
  return answer ? *std::move(answer) : Response::error(answer.error());
}

}  // namespace

std::optional<ApiError> authorize(const Parts& parts, Access access, Call& call) {
  if (access == Access::open) return std::nullopt;
  auto caller = parts.authenticator.identify(call.request);
  if (!caller) return caller.error();
  if (!*caller) return ApiError{.code = "not_signed_in"};
  call.caller = **std::move(caller);
  if (!call.caller.bearer && !is_safe(call.request.method)) {
    const std::string_view token = call.request.header("x-picket-csrf");
    if (call.caller.csrf.empty() || !equal_constant_time(as_bytes(token), as_bytes(call.caller.csrf)))
      return ApiError{.code = "csrf"};
  }
  if (may(call.caller, access)) return std::nullopt;
  record_denied(parts, call.request, call.caller.user);
  return ApiError{.code = "denied"};
}

std::span<const Route> routes() { return kRoutes; }

std::optional<std::string> Call::parameter(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name && !value.empty()) return value;
  }
  return std::nullopt;
}

std::unexpected<ApiError> api_error(const Error& error, std::string_view target) {
  switch (error.code) {
    case Errc::not_found:
      return std::unexpected(ApiError{.code = "not_found", .target = std::string(target)});
    case Errc::exists:
      return std::unexpected(ApiError{.code = "exists", .target = std::string(target)});
    case Errc::malformed:
      return std::unexpected(ApiError{.code = "invalid_argument", .target = std::string(target)});
    case Errc::unavailable:
    case Errc::limit_exceeded:
      return std::unexpected(ApiError{.code = "busy"});
    default:
      log::error("api", "{}: {}", target, describe(error));
      return std::unexpected(ApiError{.code = "internal"});
  }
}

Response dispatch(const Parts& parts, const Request& request) {
  std::string_view path = request.path;
  path.remove_prefix(kApiPrefix.size());
  std::string allowed;
  for (const Route& route : kRoutes) {
    auto values = match(route.pattern, path);
    if (!values) continue;
    const bool as_head = request.method == "HEAD" && route.method == "GET";
    if (route.method == request.method || as_head) {
      Call call{.parts = parts, .request = request, .caller = {}, .path_values = *std::move(values), .query = {}};
      Response response = call_route(parts, route, call);
      if (as_head) response.live_from.reset();
      return response;
    }
    allowed += allowed.empty() ? std::string(route.method) : ", " + std::string(route.method);
  }
  if (allowed.empty()) return Response::error({.code = "not_found", .target = request.path.substr(0, 256)});
  Response response = Response::error({.code = "method_not_allowed"});
  response.headers.emplace_back("Allow", allowed);
  return response;
}

}  // namespace picket::api
