#include "control.h"

#include <boost/json.hpp>

#include "base/core/json_writer.h"
#include "pipeline/control_records.h"

namespace picket::pipeline {
namespace {

Result<std::string> member_text(std::string_view text, std::string_view name, std::string_view where) {
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse({text.data(), text.size()}, error);
  if (error || !value.is_object()) return fail(Errc::malformed, where);
  const boost::json::value* member = value.get_object().if_contains({name.data(), name.size()});
  if (member == nullptr || !member->is_string()) return fail(Errc::malformed, where);
  return std::string(member->get_string());
}

}  // namespace

Result<std::string> parse_group_change(std::string_view json) {
  TRY(auto group, member_text(json, "Group", "control.group"));
  if (group.size() > kGroupBytesMax) return fail(Errc::malformed, "control.group");
  return group;
}

Result<RulesChange> parse_rules_change(std::string_view text) {
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse({text.data(), text.size()}, error);
  const boost::json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) return fail(Errc::malformed, "control.rules");
  RulesChange out;
  if (object->contains("Profile")) {
    TRY(const auto profile, member_text(text, "Profile", "control.rules"));
    if (profile != "default" && profile != "parity") return fail(Errc::malformed, "control.rules.profile");
    out.profile = profile == "parity" ? Profile::parity : Profile::standard;
  }
  if (const auto* types = object->if_contains("Recommendations")) {
    if (!types->is_object()) return fail(Errc::malformed, "control.rules.recommendations");
    for (const auto& member : types->get_object()) {
      const bool enabled = member.value() == "Enabled";
      if (!enabled && member.value() != "Disabled") return fail(Errc::malformed, "control.rules.recommendations");
      out.recommendations.emplace_back(member.key(), enabled);
    }
  }
  if (const auto* group = object->if_contains("DeviceSecurityGroup")) {
    const std::string inner = boost::json::serialize(*group);
    RulesChange::SecurityGroup changed;
    TRY(changed.hub, member_text(inner, "Hub", "control.rules.group"));
    TRY(changed.name, member_text(inner, "Name", "control.rules.group"));
    const auto* resource = group->get_object().if_contains("Resource");
    if (resource != nullptr && resource->is_object()) changed.resource = boost::json::serialize(*resource);
    out.security_group = std::move(changed);
  }
  if (!out.profile && out.recommendations.empty() && !out.security_group) {
    return fail(Errc::malformed, "control.rules");
  }
  return out;
}

std::string recommendation_switch_body(std::string_view type, bool enabled) {
  return JsonWriter()
      .begin_object()
      .key("Recommendations")
      .begin_object()
      .key(type)
      .value(enabled ? "Enabled" : "Disabled")
      .end_object()
      .end_object()
      .take();
}

std::string security_group_body(std::string_view hub, std::string_view name, std::string_view resource_json) {
  JsonWriter out;
  out.begin_object().key("DeviceSecurityGroup").begin_object().key("Hub").value(hub).key("Name").value(name);
  if (!resource_json.empty()) out.key("Resource").raw(resource_json);
  return out.end_object().end_object().take();
}

std::string group_change_body(std::string_view group) {
  return JsonWriter().begin_object().key("Group").value(group).end_object().take();
}

std::string rules_change_body(Profile profile) {
  const std::string_view name = profile == Profile::parity ? "parity" : "default";
  return JsonWriter().begin_object().key("Profile").value(name).end_object().take();
}

}  // namespace picket::pipeline
