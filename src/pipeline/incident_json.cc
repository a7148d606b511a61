// The body of an incident change: docs/formats/incident.md.
#include <boost/json.hpp>

#include "base/core/json_writer.h"
#include "pipeline/incident.h"

namespace picket::pipeline {
namespace {

namespace json = boost::json;

constexpr std::int64_t kFormat = 1;

void write_texts(JsonWriter& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const std::string& text : texts) out.value(text);
  out.end_array();
}

Result<std::string> text(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return fail(Errc::malformed, "incident.text");
  return std::string(value->get_string());
}

Result<Timestamp> time(const json::object& object, std::string_view name) {
  TRY(const auto written, text(object, name));
  return parse_rfc3339(written);
}

Result<std::int64_t> number(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_int64() || value->get_int64() < 0) return fail(Errc::malformed, "incident.number");
  return value->get_int64();
}

Result<std::vector<std::string>> texts(const json::object& object, std::string_view name, std::size_t count_max) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_array() || value->get_array().size() > count_max) {
    return fail(Errc::malformed, "incident.list");
  }
  std::vector<std::string> out;
  for (const json::value& one : value->get_array()) {
    if (!one.is_string()) return fail(Errc::malformed, "incident.list");
    out.emplace_back(one.get_string());
  }
  return out;
}

constexpr std::size_t kNamesMax = 1024;  // Tactics and techniques: more than there are.

}  // namespace

std::string to_json(const IncidentChange& change) {
  JsonWriter out;
  out.begin_object().key("Format").value(kFormat).key("IncidentId").value(change.incident_id);
  out.key("Change").value(change.change).key("Kind").value(change.kind).key("Key").value(change.key);
  out.key("Title").value(change.title).key("Severity").value(change.severity);
  out.key("Description").value(change.description).key("Hub").value(change.device.hub);
  out.key("DeviceId").value(change.device.device_id).key("ModuleId").value(change.device.module_id);
  out.key("GenerationId").value(change.device.generation_id);
  out.key("FirstActivityTime").value(change.start).key("LastActivityTime").value(change.end);
  out.key("TimeGenerated").value(change.generated);
  write_texts(out, "Tactics", change.tactics);
  write_texts(out, "Techniques", change.techniques);
  write_texts(out, "AlertIds", change.alerts);
  write_texts(out, "Devices", change.devices);
  write_texts(out, "Reasons", change.reasons);
  out.key("MergedInto").value(change.merged_into);
  return out.key("Source").value(to_text(change.source)).end_object().take();
}

Result<IncidentChange> parse_incident_change(std::string_view body) {
  json::error_code error;
  const json::value value = json::parse({body.data(), body.size()}, error);
  if (error || !value.is_object()) return fail(Errc::malformed, "incident.json");
  const json::object& in = value.get_object();
  TRY(const auto format, number(in, "Format"));
  if (format != kFormat) return fail(Errc::unsupported, "incident.format");
  IncidentChange out;
  TRY(out.incident_id, text(in, "IncidentId"));
  TRY(const auto change, number(in, "Change"));
  out.change = static_cast<std::uint32_t>(change);
  TRY(out.kind, text(in, "Kind"));
  TRY(out.key, text(in, "Key"));
  TRY(out.title, text(in, "Title"));
  TRY(out.severity, text(in, "Severity"));
  TRY(out.description, text(in, "Description"));
  TRY(out.device.hub, text(in, "Hub"));
  TRY(out.device.device_id, text(in, "DeviceId"));
  TRY(out.device.module_id, text(in, "ModuleId"));
  TRY(out.device.generation_id, text(in, "GenerationId"));
  TRY(out.start, time(in, "FirstActivityTime"));
  TRY(out.end, time(in, "LastActivityTime"));
  TRY(out.generated, time(in, "TimeGenerated"));
  TRY(out.tactics, texts(in, "Tactics", kNamesMax));
  TRY(out.techniques, texts(in, "Techniques", kNamesMax));
  TRY(out.alerts, texts(in, "AlertIds", kIncidentAlertsMax));
  TRY(out.devices, texts(in, "Devices", kIncidentDevicesMax));
  TRY(out.reasons, texts(in, "Reasons", kIncidentReasonsMax));
  TRY(out.merged_into, text(in, "MergedInto"));
  TRY(const auto source_text, text(in, "Source"));
  const auto source = journal::parse_record_id(source_text);
  if (!source) return fail(Errc::malformed, "incident.source");
  out.source = *source;
  return out;
}

}  // namespace picket::pipeline
