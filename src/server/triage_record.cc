#include <boost/json.hpp>

#include "alert_projector.h"
#include "base/core/json_writer.h"

namespace picket::server {

std::string to_json(const state::Triage& triage) {
  JsonWriter json;
  json.begin_object().key("format").value(1).key("alert_id").value(triage.alert_id).key("status").value(triage.status);
  json.key("user").value(triage.user).key("comment").value(triage.comment).key("time").value(triage.time).end_object();
  return json.take();
}

Result<state::Triage> parse_triage(std::string_view json) {
  boost::system::error_code failed;
  const boost::json::value parsed = boost::json::parse(json, failed);
  const auto* fields = failed ? nullptr : parsed.if_object();
  if (fields == nullptr) return fail(Errc::malformed, "triage.json");
  const auto text = [&](const char* name) -> Result<std::string> {
    const auto* found = fields->if_contains(name);
    if (found == nullptr || !found->is_string()) return fail(Errc::malformed, "triage.field");
    return std::string(found->get_string());
  };
  state::Triage out;
  TRY(out.alert_id, text("alert_id"));
  TRY(out.status, text("status"));
  TRY(out.user, text("user"));
  TRY(out.comment, text("comment"));
  TRY(const std::string time, text("time"));
  TRY(out.time, parse_rfc3339(time));
  return out;
}

}  // namespace picket::server
