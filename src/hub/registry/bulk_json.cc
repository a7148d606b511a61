// Bulk calls, import and export files.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/core/identifier.h"
#include "hub/identity_json.h"
#include "identity_fields.h"

namespace picket::hub {
namespace {

constexpr std::array<std::pair<std::string_view, BulkMode>, 9> kModes = {
    {{"create", BulkMode::create},
     {"createOrUpdate", BulkMode::create_or_update},
     {"update", BulkMode::update},
     {"updateIfMatchETag", BulkMode::update_if_match},
     {"createOrUpdateIfMatchETag", BulkMode::create_or_update_if_match},
     {"delete", BulkMode::remove},
     {"deleteIfMatchETag", BulkMode::remove_if_match},
     {"updateTwin", BulkMode::update_twin},
     {"updateTwinIfMatchETag", BulkMode::update_twin_if_match}}};

constexpr std::array<std::pair<int, std::string_view>, 14> kCodeNames = {
    {{kArgumentInvalid, "ArgumentInvalid"},
     {kUnauthorized, "IotHubUnauthorized"},
     {kQuotaExceeded, "IotHubQuotaExceeded"},
     {kCommandQueueFull, "DeviceMaximumQueueDepthExceeded"},
     {kDeviceDisabled, "DeviceDisabled"},
     {kDeviceNotFound, "DeviceNotFound"},
     {kModuleNotFound, "ModuleNotFound"},
     {kDeviceExists, "DeviceAlreadyExists"},
     {kModuleExists, "ModuleAlreadyExistsOnDevice"},
     {kEtagMismatch, "PreconditionFailed"},
     {kTooLarge, "MessageTooLarge"},
     {kThrottled, "ThrottlingException"},
     {kInternal, "ServerError"},
     {kUnavailable, "ServiceUnavailable"}}};

/// SDKs write "Delete", "delete" and "DeleteIfMatchETag".
bool equal_without_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

HubResult<std::string> object_text(const boost::json::object& in, std::string_view name) {
  HUB_TRY(const auto* part, object_member(in, name));
  return part == nullptr ? std::string() : boost::json::serialize(*part);
}

HubResult<BulkItem> item_from(const boost::json::object& in, BulkMode fallback) {
  HUB_TRY(auto id, text_member(in, "id", kIdentifierBytesMax));
  if (!id) {
    HUB_TRY(id, text_member(in, "deviceId", kIdentifierBytesMax));
  }
  if (!id || !is_identifier(*id)) return invalid("id", "a device id");
  BulkItem out{.mode = fallback};
  HUB_TRY(const auto mode, text_member(in, "importMode", 64));
  if (mode) {
    const auto* const found = std::ranges::find_if(kModes, [&](const auto& row) { return equal_without_case(row.first, *mode); });
    if (found == kModes.end()) return invalid("importMode", "one of IoT Hub's import modes");
    out.mode = found->second;
  }
  HUB_TRY(out.device, device_spec(in, *id));
  HUB_TRY(const auto module_id, text_member(in, "moduleId", kIdentifierBytesMax));
  if (module_id && !module_id->empty()) {
    if (!is_identifier(*module_id)) return invalid("moduleId", "a module id");
    HUB_TRY(out.module, module_spec(in, *id, *module_id));
  }
  HUB_TRY(auto etag, text_member(in, "eTag", 128));
  HUB_TRY(auto twin_etag, text_member(in, "twinETag", 128));
  out.etag = etag.value_or("");
  out.twin_etag = twin_etag.value_or("");
  HUB_TRY(out.tags, object_text(in, "tags"));
  HUB_TRY(const auto* properties, object_member(in, "properties"));
  if (properties != nullptr) {
    HUB_TRY(out.desired, object_text(*properties, "desired"));
  }
  HUB_TRY(const auto* tags, object_member(in, "tags"));
  if (tags != nullptr && !out.module) {
    HUB_TRY(out.device.group, text_member(*tags, "SecurityGroup", kIdentifierBytesMax));
  }
  return out;
}

void write_twin(JsonWriter& json, const ExportTwin& twin) {
  if (!twin.etag.empty()) json.key("twinETag").value(twin.etag);
  if (!twin.tags.empty()) json.key("tags").raw(twin.tags);
  if (twin.desired.empty() && twin.reported.empty()) return;
  json.key("properties").begin_object();
  json.key("desired").raw(twin.desired.empty() ? "{}" : std::string_view(twin.desired));
  json.key("reported").raw(twin.reported.empty() ? "{}" : std::string_view(twin.reported)).end_object();
}

}  // namespace

HubResult<BulkItem> bulk_item_from_json(std::string_view line, BulkMode fallback) {
  HUB_TRY(const auto parsed, parse_object(line));
  return item_from(parsed, fallback);
}

HubResult<std::vector<BulkItem>> bulk_from_json(std::string_view body) {
  HUB_TRY(const auto parsed, parse_value(body));
  if (!parsed.is_array()) return invalid("The body", "a JSON array");
  const auto& array = parsed.get_array();
  if (array.size() > kBulkItemsMax) return invalid("The body", "an array of at most 100 devices");
  std::vector<BulkItem> out;
  for (std::size_t i = 0; i < array.size(); ++i) {
    auto item = array[i].is_object() ? item_from(array[i].get_object(), BulkMode::create)
                                     : HubResult<BulkItem>(invalid("It", "an object"));
    if (!item) return hub_fail(item.error().code, fmt::format("Item {}: {}", i, item.error().message));
    out.push_back(*std::move(item));
  }
  return out;
}

std::string to_json(const BulkResult& result) {
  JsonWriter json;
  json.begin_object().key("isSuccessful").value(result.errors.empty()).key("errors").begin_array();
  for (const BulkError& error : result.errors) {
    json.begin_object().key("deviceId").value(error.device_id);
    if (!error.module_id.empty()) json.key("moduleId").value(error.module_id);
    json.key("errorCode").value(code_name(error.error.code)).key("errorStatus").value(error.error.message);
    json.end_object();
  }
  return json.end_array().key("warnings").begin_array().end_array().end_object().take();
}

std::string export_line(const state::Device& device, bool with_keys, const ExportTwin& twin) {
  JsonWriter json;
  json.begin_object().key("id").value(device.device_id).key("eTag").value(device.etag);
  json.key("status").value(device.enabled ? "enabled" : "disabled");
  if (!device.status_reason.empty()) json.key("statusReason").value(device.status_reason);
  write_authentication(json, device.auth, device.keys, device.thumbprints, with_keys);
  write_scopes(json, device);
  write_twin(json, twin);
  return json.end_object().take();
}

std::string export_line(std::string_view device_id, const state::Module& module, bool with_keys,
                        const ExportTwin& twin) {
  JsonWriter json;
  json.begin_object().key("id").value(device_id).key("moduleId").value(module.module_id);
  json.key("eTag").value(module.etag);
  if (!module.managed_by.empty()) json.key("managedBy").value(module.managed_by);
  write_authentication(json, module.auth, module.keys, module.thumbprints, with_keys);
  write_twin(json, twin);
  return json.end_object().take();
}

std::string code_name(int code) {
  const auto found = std::ranges::find(kCodeNames, code, &std::pair<int, std::string_view>::first);
  return found == kCodeNames.end() ? std::to_string(code) : std::string(found->second);
}

}  // namespace picket::hub
