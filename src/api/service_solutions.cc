// iotSecuritySolutions, and device security groups below their hub.
#include <algorithm>
#include <cctype>

#include <boost/json.hpp>

#include "base/core/json_writer.h"
#include "pipeline/catalogue.h"
#include "pipeline/security_group.h"
#include "service_resources.h"
#include "state/recommendations.h"

namespace picket::api::service {
namespace {

namespace json = boost::json;

constexpr std::string_view kDefaultName = "picket";
constexpr std::string_view kType = "Microsoft.Security/IoTSecuritySolutions";
constexpr std::string_view kQueryBegin = R"(where type != "Microsoft.Devices/IotHubs")";
constexpr std::size_t kBodyBytesMax = 256U << 10;

std::string hub_resource(const Call& call) {
  return "/subscriptions/" + call.parts.services.installation_id +
         "/resourceGroups/picket/providers/Microsoft.Devices/IotHubs/" + call.parts.services.hub;
}

/// What a solution that nobody has written is like.
json::object default_solution(const Call& call) {
  json::object properties;
  properties["workspace"] = "/subscriptions/" + call.parts.services.installation_id +
                            "/resourceGroups/picket/providers/Microsoft.OperationalInsights/workspaces/picket";
  properties["displayName"] = "Picket";
  properties["status"] = "Enabled";
  properties["export"] = json::array{"RawEvents"};
  properties["disabledDataSources"] = json::array();
  properties["iotHubs"] = json::array{json::string(hub_resource(call))};
  return {{"location", "local"}, {"tags", json::object()}, {"properties", std::move(properties)}};
}

json::array recommendation_settings(const Call& call) {
  json::array out;
  const auto* store = call.parts.services.recommendations;
  const auto disabled =
      store == nullptr ? Result<std::vector<std::string>>(std::vector<std::string>{}) : store->disabled();
  for (const auto& [type, info] : pipeline::RecommendationCatalogue::builtin().all()) {
    if (!info.published) continue;
    const bool off = disabled && std::ranges::find(*disabled, type) != disabled->end();
    out.push_back({{"recommendationType", type}, {"name", info.name}, {"status", off ? "Disabled" : "Enabled"}});
  }
  return out;
}

json::object resource_of(const Call& call, const std::string& id, const std::string& name, json::object stored) {
  json::object& properties = stored["properties"].as_object();
  properties["autoDiscoveredResources"] = json::array{json::string(hub_resource(call))};
  properties["recommendationsConfiguration"] = recommendation_settings(call);
  json::object out{{"id", id}, {"name", name}, {"type", kType}};
  for (const char* const member : {"location", "tags", "properties"}) out[member] = stored[member];
  return out;
}

std::expected<json::object, ServiceError> stored_of(const Call& call, std::string_view name) {
  const auto* store = call.parts.services.solutions;
  if (store == nullptr) return std::unexpected(internal());
  const auto found = store->find(name);
  if (found) {
    json::error_code error;
    json::value parsed = json::parse(found->json, error);
    if (error || !parsed.is_object()) return std::unexpected(internal());
    return std::move(parsed.get_object());
  }
  const auto all = store->list();
  const bool none = all && all->empty();
  if (none && http::equal_ignoring_case(name, kDefaultName)) return default_solution(call);
  return std::unexpected(ServiceError{});
}

std::expected<json::object, ServiceError> body_of(const Call& call) {
  json::error_code error;
  if (call.request.body.size() > kBodyBytesMax) return std::unexpected(bad_request("The body is too large."));
  json::value parsed = json::parse(call.request.body, error);
  if (error || !parsed.is_object()) return std::unexpected(bad_request("The body is no JSON object."));
  return std::move(parsed.get_object());
}

bool texts(const json::value* value) {
  if (value == nullptr || !value->is_array()) return false;
  return std::ranges::all_of(value->get_array(), [](const json::value& one) { return one.is_string(); });
}

bool one_of(const json::value& value, std::initializer_list<std::string_view> allowed) {
  return value.is_string() && std::ranges::find(allowed, std::string_view(value.get_string())) != allowed.end();
}

std::optional<ServiceError> check_user_resources(const json::object& properties) {
  const auto* resources = properties.if_contains("userDefinedResources");
  if (resources == nullptr || resources->is_null()) return std::nullopt;
  const auto* object = resources->if_object();
  const auto* query = object == nullptr ? nullptr : object->if_contains("query");
  if (query == nullptr || !query->is_string() ||
      !query->get_string().starts_with({kQueryBegin.data(), kQueryBegin.size()})) {
    return bad_request("userDefinedResources.query must start with '" + std::string(kQueryBegin) + "'.");
  }
  if (!texts(object->if_contains("querySubscriptions"))) {
    return bad_request("userDefinedResources.querySubscriptions must be a list of texts.");
  }
  return std::nullopt;
}

/// Switches recommendation types as the list says.
std::optional<ServiceError> apply_recommendations(const Call& call, const json::object& properties) {
  const auto* list = properties.if_contains("recommendationsConfiguration");
  if (list == nullptr || list->is_null()) return std::nullopt;
  if (!list->is_array()) return bad_request("recommendationsConfiguration must be a list.");
  const auto& catalogue = pipeline::RecommendationCatalogue::builtin();
  std::vector<std::pair<std::string, bool>> wanted;
  for (const json::value& one : list->get_array()) {
    const auto* object = one.if_object();
    const auto* type = object == nullptr ? nullptr : object->if_contains("recommendationType");
    const auto* status = object == nullptr ? nullptr : object->if_contains("status");
    if (type == nullptr || !type->is_string() || status == nullptr || !one_of(*status, {"Enabled", "Disabled"})) {
      return bad_request("recommendationsConfiguration needs recommendationType and status (Enabled or Disabled).");
    }
    const std::string name(type->get_string());
    const auto* info = catalogue.find(name);
    if (info == nullptr || !info->published) return bad_request("There is no recommendation type '" + name + "'.");
    wanted.emplace_back(name, *status == "Enabled");
  }
  auto* store = call.parts.services.recommendations;
  for (const auto& [type, enabled] : wanted) {
    if (store == nullptr || !store->set_enabled(type, enabled, call.actor(), call.now())) return internal();
  }
  return std::nullopt;
}

std::optional<ServiceError> check_new(const json::object& body, const json::object& properties) {
  const auto* location = body.if_contains("location");
  if (location != nullptr && !location->is_string()) return bad_request("location must be a text.");
  for (const char* const name : {"workspace", "displayName"}) {
    const auto* value = properties.if_contains(name);
    const bool given = value != nullptr && value->is_string() && !value->get_string().empty();
    if (!given && std::string_view(name) == "displayName") return bad_request("properties.displayName is required.");
    if (!given && value != nullptr) return bad_request("properties.workspace must be a text.");
  }
  if (!texts(properties.if_contains("iotHubs")) || properties.at("iotHubs").get_array().empty()) {
    return bad_request("properties.iotHubs is required: a list of resource ids.");
  }
  if (const auto* status = properties.if_contains("status");
      status != nullptr && !one_of(*status, {"Enabled", "Disabled"})) {
    return bad_request("properties.status must be Enabled or Disabled.");
  }
  return check_user_resources(properties);
}

ServiceAnswer respond(const Call& call, const Target& target, json::object stored, int status) {
  return Response::json(json::serialize(resource_of(call, target.base, target.solution, std::move(stored))), status);
}

ServiceAnswer put_solution(Call& call, const Target& target) {
  auto body = body_of(call);
  if (!body) return std::unexpected(body.error());
  auto* properties = body->if_contains("properties");
  if (properties == nullptr || !properties->is_object())
    return std::unexpected(bad_request("properties are required."));
  if (const auto error = check_new(*body, properties->get_object())) return std::unexpected(*error);
  if (const auto error = apply_recommendations(call, properties->get_object())) return std::unexpected(*error);
  json::object stored = default_solution(call);
  json::object& kept = stored["properties"].as_object();
  for (const char* const name : {"workspace", "displayName", "status", "export", "disabledDataSources", "iotHubs",
                                 "userDefinedResources", "unmaskedIpLoggingStatus"}) {
    if (const auto* value = properties->get_object().if_contains(name)) kept[name] = *value;
  }
  for (const char* const name : {"location", "tags"}) {
    if (const auto* value = body->if_contains(name)) stored[name] = *value;
  }
  const auto made =
      call.parts.services.solutions->put(target.solution, json::serialize(stored), call.actor(), call.now());
  if (!made) return std::unexpected(internal());
  return respond(call, target, std::move(stored), *made ? 201 : 200);
}

/// Tags, userDefinedResources and recommendationsConfiguration only.
ServiceAnswer patch_solution(Call& call, const Target& target) {
  auto stored = stored_of(call, target.solution);
  if (!stored) return std::unexpected(stored.error());
  auto body = body_of(call);
  if (!body) return std::unexpected(body.error());
  if (const auto* tags = body->if_contains("tags")) (*stored)["tags"] = *tags;
  if (const auto* properties = body->if_contains("properties"); properties != nullptr && properties->is_object()) {
    const json::object& changes = properties->get_object();
    if (const auto error = check_user_resources(changes)) return std::unexpected(*error);
    if (const auto error = apply_recommendations(call, changes)) return std::unexpected(*error);
    if (const auto* resources = changes.if_contains("userDefinedResources")) {
      (*stored)["properties"].as_object()["userDefinedResources"] = *resources;
    }
  }
  const auto done =
      call.parts.services.solutions->put(target.solution, json::serialize(*stored), call.actor(), call.now());
  if (!done) return std::unexpected(internal());
  return respond(call, target, *std::move(stored), 200);
}

}  // namespace

bool has_solution(const Call& call, std::string_view name) { return stored_of(call, name).has_value(); }

ServiceAnswer list_solutions(const Call& call, const std::string& scope, bool with_group) {
  if (call.request.method != "GET")
    return std::unexpected(ServiceError{405, "MethodNotAllowed", "This list can only be read."});
  if (call.parts.services.solutions == nullptr) return std::unexpected(internal());
  const auto all = call.parts.services.solutions->list();
  if (!all) return std::unexpected(internal());
  const std::string base =
      scope + (with_group ? "" : "/resourceGroups/picket") + "/providers/Microsoft.Security/iotSecuritySolutions/";
  std::vector<std::string> names;
  for (const auto& one : *all) names.push_back(one.name);
  if (names.empty()) names.emplace_back(kDefaultName);
  // $filter=properties.iotHubs/any(i eq "RESOURCE"): the resource is what counts.
  const auto filter = call.parameter("$filter");
  json::array value;
  for (const std::string& name : names) {
    auto stored = stored_of(call, name);
    if (!stored) continue;
    if (filter) {
      bool found = false;
      for (const json::value& hub : (*stored)["properties"].as_object()["iotHubs"].as_array()) {
        std::string quoted = "\"" + std::string(hub.as_string()) + "\"";
        std::string text = *filter;
        std::ranges::transform(quoted, quoted.begin(), [](char c) {
          return c == '\'' ? '"' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        });
        std::ranges::transform(text, text.begin(), [](char c) {
          return c == '\'' ? '"' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        });
        found = found || text.find(quoted) != std::string::npos;
      }
      if (!found) continue;
    }
    value.push_back(resource_of(call, base + name, name, *std::move(stored)));
  }
  return Response::json(json::serialize(json::object{{"value", std::move(value)}}));
}

ServiceAnswer solution(Call& call, const Target& target) {
  if (call.parts.services.solutions == nullptr) return std::unexpected(internal());
  const std::string& method = call.request.method;
  if (method == "PUT") return put_solution(call, target);
  if (method == "PATCH") return patch_solution(call, target);
  if (method == "DELETE") {
    const auto removed = call.parts.services.solutions->remove(target.solution, call.actor(), call.now());
    if (!removed) return std::unexpected(internal());
    return *removed ? Response{.status = 200} : Response::empty();
  }
  if (method != "GET")
    return std::unexpected(ServiceError{405, "MethodNotAllowed", "This is no method of a solution."});
  auto stored = stored_of(call, target.solution);
  if (!stored) return std::unexpected(stored.error());
  return respond(call, target, *std::move(stored), 200);
}

ServiceAnswer security_groups(Call& call, const std::string& resource, const std::vector<std::string>& path) {
  auto* store = call.parts.services.security_groups;
  const std::string& hub = call.parts.services.hub;
  if (store == nullptr) return std::unexpected(internal());
  if (path.empty()) {
    if (call.request.method != "GET")
      return std::unexpected(ServiceError{405, "MethodNotAllowed", "This list can only be read."});
    const auto groups = store->list(hub);
    if (!groups) return std::unexpected(internal());
    JsonWriter out;
    out.begin_object().key("value").begin_array();
    for (const auto& group : *groups) out.raw(group.json);
    return Response::json(out.end_array().end_object().take());
  }
  if (path.size() > 1) return std::unexpected(ServiceError{});
  const std::string& name = path[0];
  if (call.request.method == "GET") {
    const auto group = store->find(hub, name);
    if (!group) return std::unexpected(group.error().code == Errc::not_found ? ServiceError{} : internal());
    return Response::json(group->json);
  }
  if (call.request.method == "PUT") {
    std::string detail;
    const auto group = pipeline::parse_security_group(call.request.body, &detail);
    if (!group || name.size() > 128)
      return std::unexpected(bad_request(detail.empty() ? "The name is too long." : detail));
    std::string json = pipeline::security_group_resource(*group, resource, name);
    const auto made = store->put(hub, name, json, call.actor(), call.now());
    if (!made) return std::unexpected(internal());
    return Response::json(std::move(json), *made ? 201 : 200);
  }
  if (call.request.method == "DELETE") {
    const auto removed = store->remove(hub, name, call.actor(), call.now());
    if (!removed) return std::unexpected(internal());
    return *removed ? Response{.status = 200} : Response::empty();
  }
  return std::unexpected(ServiceError{405, "MethodNotAllowed", "This is no method of a device security group."});
}

}  // namespace picket::api::service
