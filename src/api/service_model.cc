#include "service_model.h"

#include <algorithm>

#include "base/core/encoding.h"
#include "base/core/json_writer.h"
#include "service_resources.h"

namespace picket::api {
namespace {

using service::ServiceAnswer;
using service::ServiceError;

constexpr std::string_view kResourceGroup = "picket";
constexpr std::size_t kSegmentsMax = 16;

Response error_response(const ServiceError& error) {
  JsonWriter out;
  out.begin_object().key("error").begin_object().key("code").value(error.code);
  out.key("message").value(error.message).end_object().end_object();
  return Response::json(out.take(), error.status);
}

ServiceError of(const ApiError& error) {
  const bool denied = error.code == "denied" || error.code == "csrf";
  if (error.code == "not_signed_in") return {401, "AuthenticationFailed", "Authentication failed: send a valid token."};
  if (denied) return {403, "AuthorizationFailed", "Your role does not allow this."};
  return {429, "TooManyRequests", "Try again later."};
}

std::optional<std::vector<std::string>> segments_of(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    path.remove_prefix(1);  // '/'
    const std::size_t end = std::min(path.find('/'), path.size());
    const auto value = percent_decode(path.substr(0, end));
    if (!value || value->empty() || out.size() == kSegmentsMax) return std::nullopt;
    out.push_back(*value);
    path.remove_prefix(end);
  }
  return out;
}

/// Whether the segments begin with these words; "*" is any.
bool begins(const std::vector<std::string>& segments, std::initializer_list<std::string_view> words) {
  if (segments.size() < words.size()) return false;
  std::size_t i = 0;
  for (const std::string_view word : words) {
    if (word != "*" && !equal_ignoring_case(segments[i], word)) return false;
    ++i;
  }
  return true;
}

std::string joined(const std::vector<std::string>& segments, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += "/" + segments[i];
  return out;
}

std::optional<ServiceError> wrong_scope(const Call& call, const std::vector<std::string>& segments) {
  if (!equal_ignoring_case(segments[1], call.parts.services.installation_id)) {
    return ServiceError{404, "SubscriptionNotFound", "The subscription '" + segments[1] + "' could not be found."};
  }
  const bool grouped = segments.size() > 3 && equal_ignoring_case(segments[2], "resourceGroups");
  if (grouped && !equal_ignoring_case(segments[3], kResourceGroup)) {
    return ServiceError{404, "ResourceGroupNotFound", "Resource group '" + segments[3] + "' could not be found."};
  }
  return std::nullopt;
}

ServiceAnswer of_solution(Call& call, const service::Target& target) {
  const auto& path = target.path;
  if (path.empty()) return service::solution(call, target);
  if (!service::has_solution(call, target.solution)) return std::unexpected(ServiceError{});
  if (equal_ignoring_case(path[0], "analyticsModels")) return service::analytics(call, target);
  if (call.request.method != "GET") {
    return std::unexpected(ServiceError{405, "MethodNotAllowed", "This resource can only be read."});
  }
  if (equal_ignoring_case(path[0], "iotAlertTypes")) return service::alert_types(call, target);
  if (equal_ignoring_case(path[0], "iotAlerts")) return service::alerts(call, target);
  if (equal_ignoring_case(path[0], "iotRecommendationTypes")) return service::recommendation_types(call, target);
  if (equal_ignoring_case(path[0], "iotRecommendations")) return service::recommendations(call, target);
  return std::unexpected(ServiceError{});
}

ServiceAnswer route(Call& call, const std::vector<std::string>& segments) {
  if (const auto error = wrong_scope(call, segments)) return std::unexpected(*error);
  if (begins(segments, {"subscriptions", "*", "providers", "Microsoft.Security", "iotSecuritySolutions"}) &&
      segments.size() == 5) {
    return service::list_solutions(call, joined(segments, 2), false);
  }
  if (begins(segments, {"subscriptions", "*", "resourceGroups", "*", "providers", "Microsoft.Security",
                        "iotSecuritySolutions"})) {
    if (segments.size() == 7) return service::list_solutions(call, joined(segments, 4), true);
    service::Target target{joined(segments, 8), segments[7], {}};
    target.path.assign(segments.begin() + 8, segments.end());
    return of_solution(call, target);
  }
  const bool hub = begins(segments, {"subscriptions", "*", "resourceGroups", "*", "providers", "Microsoft.Devices",
                                     "iotHubs", "*", "providers", "Microsoft.Security", "deviceSecurityGroups"});
  if (hub && equal_ignoring_case(segments[7], call.parts.services.hub)) {
    return service::security_groups(call, joined(segments, 8), {segments.begin() + 11, segments.end()});
  }
  return std::unexpected(ServiceError{});
}

std::optional<ServiceError> wrong_version(const Call& call) {
  const auto version = call.parameter("api-version");
  if (!version) {
    return ServiceError{400, "MissingApiVersionParameter",
                        "The api-version query parameter (?api-version=) is required for all requests."};
  }
  if (*version == kServiceApiVersion) return std::nullopt;
  return ServiceError{400, "InvalidApiVersionParameter",
                      "The api-version '" + version->substr(0, 32) + "' is invalid. The supported version is '" +
                          std::string(kServiceApiVersion) + "'."};
}

}  // namespace

std::optional<Response> answer_service_model(const Parts& parts, const Request& request) {
  constexpr std::string_view kRoot = "/subscriptions/";
  const std::string_view path = request.path;
  if (path.size() <= kRoot.size() || !equal_ignoring_case(path.substr(0, kRoot.size()), kRoot)) return std::nullopt;
  Call call{.parts = parts, .request = request, .caller = {}, .path_values = {}, .query = {}};
  const bool reads = request.method == "GET" || request.method == "HEAD";
  if (const auto error = authorize(parts, reads ? Access::reader : Access::contributor, call)) {
    return error_response(of(*error));
  }
  auto query = parse_query(request.query);
  if (!query) return error_response(service::bad_request("The query cannot be read."));
  call.query = *std::move(query);
  if (const auto error = wrong_version(call)) return error_response(*error);
  const auto segments = segments_of(path);
  if (!segments || segments->size() < 2) return error_response({});
  auto answer = route(call, *segments);
  return answer ? *std::move(answer) : error_response(answer.error());
}

}  // namespace picket::api
