// Built-in security as operators see it: recommendations, device security groups, uploaded deployment manifests.
#include <algorithm>

#include <boost/json.hpp>

#include "../json_body.h"
#include "../paging.h"
#include "base/core/json_writer.h"
#include "handlers.h"
#include "hub/hub_settings.h"
#include "pipeline/catalogue.h"
#include "pipeline/security_group.h"
#include "state/recommendations.h"

namespace picket::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kNameBytesMax = 128;
constexpr std::string_view kCheckDescription =
    "A check of the baseline. It is switched in the baseline settings of the agent, or exempted with a reason.";
constexpr std::size_t kManifestBytesMax = 256 * 1024;

std::unexpected<ApiError> not_offered() { return std::unexpected(ApiError{.code = "not_implemented"}); }

void write_recommendation(JsonWriter& out, const state::Recommendation& item) {
  boost::system::error_code failed;
  const json::value parsed = json::parse(item.json, failed);
  const auto raw = [&](std::string_view name, std::string_view fallback) {
    const auto* value = failed || !parsed.is_object() ? nullptr : parsed.get_object().if_contains(name);
    return value == nullptr ? std::string(fallback) : json::serialize(*value);
  };
  out.begin_object().key("id").value(item.recommendation_id).key("type").value(item.type);
  out.key("displayName").value(item.display_name).key("severity").value(item.severity);
  out.key("state").value(item.state).key("hub").value(item.hub).key("deviceId").value(item.device_id);
  out.key("firstEvaluated").value(item.first).key("updated").value(item.updated);
  out.key("description").raw(raw("Description", "\"\"")).key("remediationSteps").raw(raw("RemediationSteps", "[]"));
  out.key("additionalData").raw(raw("AdditionalData", "{}")).end_object();
}

std::string resource_id(const Call& call) {
  return hub::hub_resource_id(call.parts.services.installation_id, call.parts.services.hub);
}

std::string whole_group(const Call& call, const pipeline::SecurityGroup& group, std::string_view name) {
  return pipeline::security_group_resource(group, resource_id(call), name);
}

}  // namespace

Answer list_recommendations(Call& call) {
  auto* store = call.parts.services.recommendations;
  if (store == nullptr) return not_offered();
  API_TRY(const auto limit, page_limit(call));
  API_TRY(const auto cursor, open_cursor(call));
  const state::RecommendationFilter filter{.hub = "",
                                           .state = call.parameter("state").value_or(""),
                                           .type = call.parameter("type").value_or(""),
                                           .device_id = call.parameter("device").value_or(""),
                                           .severity = call.parameter("severity").value_or("")};
  const auto page = store->list(filter, cursor, limit);
  if (!page) return api_error(page.error(), "recommendations");
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const auto& item : page->recommendations) write_recommendation(out, item);
  out.end_array().key("total").value(page->total);
  if (!page->next.empty()) out.key("next_cursor").value(seal_cursor(call, page->next));
  return Response::json(out.end_object().take());
}

Answer list_recommendation_types(Call& call) {
  auto* store = call.parts.services.recommendations;
  if (store == nullptr) return not_offered();
  const auto counts = store->count_by_type("");
  if (!counts) return api_error(counts.error(), "recommendations");
  const auto disabled = store->disabled();
  if (!disabled) return api_error(disabled.error(), "recommendations");
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (const auto& [type, info] : pipeline::RecommendationCatalogue::builtin().all()) {
    const auto count = std::ranges::find(*counts, info.type, &state::RecommendationCount::type);
    out.begin_object().key("type").value(info.type).key("displayName").value(info.name);
    out.key("severity").value(info.severity_default).key("description").value(info.description);
    out.key("active").value(count == counts->end() ? std::uint64_t{0} : count->active);
    out.key("resolved").value(count == counts->end() ? std::uint64_t{0} : count->resolved);
    out.key("enabled").value(std::ranges::find(*disabled, info.type) == disabled->end()).end_object();
  }
  // Checks of baselines: which there are, devices say.
  for (const state::RecommendationCount& count : *counts) {
    if (pipeline::RecommendationCatalogue::builtin().find(count.type) != nullptr) continue;
    out.begin_object().key("type").value(count.type).key("displayName").value(count.display_name);
    out.key("severity").value(count.severity).key("description").value(kCheckDescription);
    out.key("active").value(count.active).key("resolved").value(count.resolved).key("enabled").value(true).end_object();
  }
  return Response::json(out.end_array().end_object().take());
}

Answer set_recommendation_type(Call& call) {
  auto* store = call.parts.services.recommendations;
  if (store == nullptr) return not_offered();
  const std::string& type = call.path_values[0];
  if (pipeline::RecommendationCatalogue::builtin().find(type) == nullptr) {
    return std::unexpected(ApiError{.code = "not_found", .target = "type"});
  }
  API_TRY(const auto body, JsonBody::parse(call.request, {"enabled"}));
  API_TRY(const auto enabled, body.json("enabled", 8));
  if (!enabled || (*enabled != "true" && *enabled != "false")) {
    return std::unexpected(invalid("enabled", "This must be true or false."));
  }
  const auto done = store->set_enabled(type, *enabled == "true", call.actor(), call.now());
  if (!done) return api_error(done.error(), "type");
  return Response::empty();
}

Answer list_security_groups(Call& call) {
  auto* store = call.parts.services.security_groups;
  if (store == nullptr) return not_offered();
  const auto groups = store->list(call.parts.services.hub);
  if (!groups) return api_error(groups.error(), "security groups");
  JsonWriter out;
  out.begin_object().key("value").begin_array();
  for (const auto& group : *groups) out.raw(group.json);
  return Response::json(out.end_array().end_object().take());
}

// A group that nobody has set has all 19 rules, switched off: what a form begins with.
Answer get_security_group(Call& call) {
  auto* store = call.parts.services.security_groups;
  if (store == nullptr) return not_offered();
  const auto group = store->find(call.parts.services.hub, call.path_values[0]);
  if (group) return Response::json(group->json);
  if (group.error().code != Errc::not_found) return api_error(group.error(), "security group");
  return Response::json(whole_group(call, {}, call.path_values[0]));
}

Answer put_security_group(Call& call) {
  auto* store = call.parts.services.security_groups;
  if (store == nullptr) return not_offered();
  const std::string& name = call.path_values[0];
  if (name.size() > kNameBytesMax) return std::unexpected(invalid("name", "This is longer than 128 bytes."));
  std::string detail;
  const auto group = pipeline::parse_security_group(call.request.body, &detail);
  if (!group) return std::unexpected(invalid(group.error().where, detail));
  std::string resource = whole_group(call, *group, name);
  const auto made = store->put(call.parts.services.hub, name, resource, call.actor(), call.now());
  if (!made) return api_error(made.error(), "security group");
  return Response::json(std::move(resource), *made ? 201 : 200);
}

Answer delete_security_group(Call& call) {
  auto* store = call.parts.services.security_groups;
  if (store == nullptr) return not_offered();
  const auto removed = store->remove(call.parts.services.hub, call.path_values[0], call.actor(), call.now());
  if (!removed) return api_error(removed.error(), "security group");
  return Response::empty();
}

// The manifest becomes a record: what it is judged by is the same on every replay.
Answer put_deployment(Call& call) {
  const Services& services = call.parts.services;
  const auto device = services.devices.find(services.hub, call.path_values[0]);
  if (!device) return api_error(device.error(), "device");
  if (call.request.body.size() > kManifestBytesMax) return std::unexpected(ApiError{.code = "too_large"});
  boost::system::error_code failed;
  const json::value manifest = json::parse(call.request.body, failed);
  if (failed) return std::unexpected(ApiError{.code = "invalid_json"});
  if (!manifest.is_object() || !manifest.get_object().contains("modulesContent")) {
    return std::unexpected(invalid("modulesContent", "A deployment manifest of IoT Edge has this member."));
  }
  JsonWriter body;
  body.begin_object().key("actor").value(call.caller.user).key("source").value(call.request.address);
  body.key("hub").value(services.hub).key("manifest").raw(json::serialize(manifest));
  const auto recorded =
      services.outbox.record("deployment.set", device->device_id, body.end_object().take(), call.now());
  if (!recorded) return api_error(recorded.error(), "deployment");
  return Response::empty();
}

}  // namespace picket::api
