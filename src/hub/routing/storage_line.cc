#include <boost/json.hpp>

#include "base/core/encoding.h"
#include "base/core/json_writer.h"
#include "hub/route_set.h"
#include "hub/router.h"

namespace picket::hub {
namespace {

bool says_json(const StreamEvent& event) {
  bool json = false;
  bool utf8 = false;
  for (const auto& [name, value] : event.properties) {
    json = json || (name == "$.ct" && value.starts_with("application/json"));
    utf8 = utf8 || (name == "$.ce" && (value == "utf-8" || value == "UTF-8"));
  }
  return json && utf8;
}

}  // namespace

std::string storage_line(const StreamEvent& event) {
  JsonWriter out;
  out.begin_object().key("EnqueuedTimeUtc").value(format_rfc3339(event.enqueued));
  out.key("Properties").begin_object();
  for (const auto& [name, value] : event.properties) {
    if (system_name_of(name).empty() && !name.starts_with("$.")) out.key(name).value(value);
  }
  out.end_object().key("SystemProperties").begin_object();
  out.key("connectionDeviceId").value(event.identity.device_id);
  if (!event.identity.module_id.empty()) out.key("connectionModuleId").value(event.identity.module_id);
  out.key("connectionDeviceGenerationId").value(event.identity.generation_id);
  for (const auto& [name, value] : event.properties) {
    const auto system = system_name_of(name);
    const bool own = system == "connectionDeviceId" || system == "connectionModuleId" ||
                     system == "connectionDeviceGenerationId" || system == "enqueuedTime";
    if (!system.empty() && !own) out.key(system).value(value);
  }
  out.key("enqueuedTime").value(format_rfc3339(event.enqueued));
  out.end_object().key("Body");
  boost::system::error_code failed;
  const auto parsed = says_json(event) ? boost::json::parse(as_text(event.body), failed) : boost::json::value();
  if (says_json(event) && !failed) {
    out.raw(boost::json::serialize(parsed));  // on one line, whatever the device sent
  } else {
    out.value(to_base64(event.body));
  }
  return out.end_object().take() + "\n";
}

}  // namespace picket::hub
