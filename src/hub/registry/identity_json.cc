#include "hub/identity_json.h"

#include <algorithm>
#include <array>

#include "base/core/json_writer.h"
#include "identity_fields.h"

namespace picket::hub {
namespace {

using state::AuthType;

// Index: AuthType.
constexpr std::array<std::string_view, 4> kAuthNames = {"sas", "selfSigned", "certificateAuthority", "none"};

/// IoT Hub's "never".
void write_time(JsonWriter& json, std::string_view name, Timestamp time) {
  json.key(name);
  if (time.us == 0) {
    json.value("0001-01-01T00:00:00Z");
  } else {
    json.value(time);
  }
}

void write_text_or_null(JsonWriter& json, std::string_view name, std::string_view text) {
  json.key(name);
  if (text.empty()) {
    json.null();
  } else {
    json.value(text);
  }
}

void write_activity(JsonWriter& json, const IdentityActivity& activity) {
  json.key("connectionState").value(activity.connected ? "Connected" : "Disconnected");
  write_time(json, "connectionStateUpdatedTime", activity.connection_changed);
  write_time(json, "lastActivityTime", activity.last_activity);
  json.key("cloudToDeviceMessageCount").value(activity.cloud_to_device_messages);
}

}  // namespace

void write_authentication(JsonWriter& json, AuthType type, const state::Keys& keys,
                          const state::Thumbprints& thumbprints, bool with_keys) {
  json.key("authentication").begin_object().key("symmetricKey").begin_object();
  write_text_or_null(json, "primaryKey", with_keys ? std::string_view(keys.primary) : "");
  write_text_or_null(json, "secondaryKey", with_keys ? std::string_view(keys.secondary) : "");
  json.end_object().key("x509Thumbprint").begin_object();
  write_text_or_null(json, "primaryThumbprint", thumbprints.primary);
  write_text_or_null(json, "secondaryThumbprint", thumbprints.secondary);
  json.end_object().key("type").value(kAuthNames[static_cast<std::size_t>(type)]).end_object();
}

void write_scopes(JsonWriter& json, const state::Device& device) {
  json.key("capabilities").begin_object().key("iotEdge").value(device.edge).end_object();
  if (!device.scope.empty()) json.key("deviceScope").value(device.scope);
  json.key("parentScopes").begin_array();
  for (const auto& scope : device.parent_scopes) json.value(scope);
  json.end_array();
}

std::string to_json(const state::Device& device, const IdentityActivity& activity) {
  JsonWriter json;
  json.begin_object().key("deviceId").value(device.device_id).key("generationId").value(device.generation_id);
  json.key("etag").value(device.etag).key("status").value(device.enabled ? "enabled" : "disabled");
  write_text_or_null(json, "statusReason", device.status_reason);
  write_time(json, "statusUpdatedTime", device.status_updated);
  write_activity(json, activity);
  write_authentication(json, device.auth, device.keys, device.thumbprints, true);
  write_scopes(json, device);
  return json.end_object().take();
}

std::string to_json(std::string_view device_id, const state::Module& module, const IdentityActivity& activity) {
  JsonWriter json;
  json.begin_object().key("moduleId").value(module.module_id);
  write_text_or_null(json, "managedBy", module.managed_by);
  json.key("deviceId").value(device_id).key("generationId").value(module.generation_id);
  json.key("etag").value(module.etag);
  write_activity(json, activity);
  write_authentication(json, module.auth, module.keys, module.thumbprints, true);
  return json.end_object().take();
}

std::string to_json(const state::IdentityCounts& counts) {
  JsonWriter json;
  json.begin_object().key("totalDeviceCount").value(counts.devices);
  json.key("enabledDeviceCount").value(counts.enabled_devices);
  json.key("disabledDeviceCount").value(counts.devices - std::min(counts.devices, counts.enabled_devices));
  return json.end_object().take();
}

HubResult<AuthSpec> auth_from(const boost::json::object& in) {
  AuthSpec out;
  std::optional<std::string> type;
  for (const auto* name : {"symmetricKey", "x509Thumbprint"}) {
    HUB_TRY(const auto* part, object_member(in, name));
    if (part == nullptr) continue;
    const bool keys = std::string_view(name) == "symmetricKey";
    HUB_TRY(auto primary, text_member(*part, keys ? "primaryKey" : "primaryThumbprint", 128));
    HUB_TRY(auto secondary, text_member(*part, keys ? "secondaryKey" : "secondaryThumbprint", 128));
    (keys ? out.keys.primary : out.thumbprints.primary) = primary.value_or("");
    (keys ? out.keys.secondary : out.thumbprints.secondary) = secondary.value_or("");
  }
  HUB_TRY(type, text_member(in, "type", 32));
  // Older SDKs give thumbprints and no type.
  const bool thumbprints = !out.thumbprints.primary.empty() || !out.thumbprints.secondary.empty();
  if (!type) {
    out.type = thumbprints ? AuthType::self_signed : AuthType::sas;
    return out;
  }
  const auto found = std::ranges::find(kAuthNames, *type);
  if (found == kAuthNames.end()) return invalid("authentication.type", "sas, selfSigned, certificateAuthority or none");
  out.type = static_cast<AuthType>(found - kAuthNames.begin());
  return out;
}

HubResult<std::optional<AuthSpec>> optional_auth(const boost::json::object& in) {
  HUB_TRY(const auto* part, object_member(in, "authentication"));
  if (part == nullptr) return std::nullopt;
  HUB_TRY(auto auth, auth_from(*part));
  return auth;
}

HubResult<DeviceSpec> device_spec(const boost::json::object& in, std::string_view device_id) {
  DeviceSpec out{.device_id = std::string(device_id)};
  HUB_TRY(const auto status, text_member(in, "status", 32));
  const bool enabled = status && (*status == "enabled" || *status == "Enabled");  // capital: the Java SDK
  if (status && !enabled && *status != "disabled" && *status != "Disabled") {
    return invalid("status", "enabled or disabled");
  }
  if (status) out.enabled = enabled;
  HUB_TRY(out.status_reason, text_member(in, "statusReason", kStatusReasonBytesMax));
  HUB_TRY(out.auth, optional_auth(in));
  HUB_TRY(const auto* capabilities, object_member(in, "capabilities"));
  if (capabilities != nullptr) {
    const auto* edge = capabilities->if_contains("iotEdge");
    if (edge != nullptr && !edge->is_null() && !edge->is_bool()) return invalid("capabilities.iotEdge", "a boolean");
    if (edge != nullptr && edge->is_bool()) out.edge = edge->get_bool();
  }
  HUB_TRY(out.scope, text_member(in, "deviceScope", kScopeBytesMax));
  const auto* parents = in.if_contains("parentScopes");
  if (parents == nullptr || parents->is_null()) return out;
  if (!parents->is_array() || parents->get_array().size() > kParentScopesMax)
    return invalid("parentScopes", "an array of at most 16 scopes");
  out.parent_scopes.emplace();
  for (const auto& one : parents->get_array()) {
    if (!one.is_string() || one.get_string().size() > kScopeBytesMax || !is_line(one.get_string()))
      return invalid("parentScopes", "texts of one line, at most 256 bytes");
    out.parent_scopes->emplace_back(one.get_string());
  }
  return out;
}

HubResult<ModuleSpec> module_spec(const boost::json::object& in, std::string_view device_id,
                                  std::string_view module_id) {
  ModuleSpec out{.device_id = std::string(device_id), .module_id = std::string(module_id)};
  HUB_TRY(out.auth, optional_auth(in));
  HUB_TRY(out.managed_by, text_member(in, "managedBy", kManagedByBytesMax));
  return out;
}

namespace {

/// The path names it; a body that names another was meant for somewhere else.
HubResult<> check_name(const boost::json::object& in, std::string_view member, std::string_view expected) {
  const auto* name = in.if_contains(member);
  if (name == nullptr || name->is_null()) return {};
  if (!name->is_string() || std::string_view(name->get_string()) != expected)
    return invalid(member, "the same as in the address");
  return {};
}

}  // namespace

HubResult<DeviceSpec> device_from_json(std::string_view body, std::string_view device_id) {
  HUB_TRY(const auto parsed, parse_object(body));
  HUB_TRY_VOID(check_name(parsed, "deviceId", device_id));
  return device_spec(parsed, device_id);
}

HubResult<ModuleSpec> module_from_json(std::string_view body, std::string_view device_id, std::string_view module_id) {
  HUB_TRY(const auto parsed, parse_object(body));
  HUB_TRY_VOID(check_name(parsed, "deviceId", device_id));
  HUB_TRY_VOID(check_name(parsed, "moduleId", module_id));
  return module_spec(parsed, device_id, module_id);
}

}  // namespace picket::hub
