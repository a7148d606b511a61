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

Result<RulesChange> parse_rules_change(std::string_view json) {
  TRY(const auto profile, member_text(json, "Profile", "control.rules"));
  if (profile == "default") return RulesChange{Profile::standard};
  if (profile == "parity") return RulesChange{Profile::parity};
  return fail(Errc::malformed, "control.rules.profile");
}

std::string group_change_body(std::string_view group) {
  return JsonWriter().begin_object().key("Group").value(group).end_object().take();
}

std::string rules_change_body(Profile profile) {
  const std::string_view name = profile == Profile::parity ? "parity" : "default";
  return JsonWriter().begin_object().key("Profile").value(name).end_object().take();
}

}  // namespace picket::pipeline
