// Rows to documents, and documents to IoT Hub's JSON.
#include <array>

#include "hub/twins.h"

namespace picket::hub {
namespace {

// The etag of a twin that nothing was written to.
constexpr std::string_view kFirstEtag = "AAAAAAAAAAE=";
// What IoT Hub writes for "never".
constexpr std::string_view kNever = "0001-01-01T00:00:00Z";

Result<JsonObject> load_object(std::string_view text) {
  if (text.empty()) return JsonObject();
  auto parsed = parse_json(text, {.bytes_max = 16 << 20, .depth_max = 32});
  if (!parsed || parsed->object() == nullptr) return fail(Errc::internal, "twin.stored");
  return std::move(*parsed->object());
}

Result<TwinMetadata> load_part_metadata(std::string_view text) {
  if (text.empty()) return TwinMetadata();
  auto loaded = load_metadata(text);
  if (!loaded) return fail(Errc::internal, "twin.stored");
  return loaded;
}

JsonValue time_json(Timestamp time) { return time.us == 0 ? JsonValue(kNever) : JsonValue(format_rfc3339(time)); }

std::string_view authentication_type(int auth) {
  constexpr std::array<std::string_view, 4> kNames{"sas", "selfSigned", "certificateAuthority", "none"};
  return kNames[static_cast<std::size_t>(auth) % kNames.size()];
}

JsonValue thumbprint(const std::string& text) { return text.empty() ? JsonValue() : JsonValue(text); }

// The registry's group wins over the text of the tag; a device of the default group shows the tag only if somebody set
// it.
JsonObject tags_with_group(const TwinDocument& twin, const state::TwinOwner& owner) {
  JsonObject out = twin.tags;
  if (!owner.module_id.empty()) return out;
  if (out.find(kSecurityGroupTag) != nullptr || owner.group != state::kDefaultGroup) {
    out.set(kSecurityGroupTag, owner.group);
  }
  return out;
}

}  // namespace

Result<TwinDocument> load_twin(const state::TwinRow& row) {
  TwinDocument out;
  out.version = row.version;
  out.etag = row.stored ? row.etag : std::string(kFirstEtag);
  out.desired.version = row.desired_version;
  out.reported.version = row.reported_version;
  TRY(out.tags, load_object(row.tags));
  TRY(out.desired.value, load_object(row.desired));
  TRY(out.desired.metadata, load_part_metadata(row.desired_metadata));
  TRY(out.reported.value, load_object(row.reported));
  TRY(out.reported.metadata, load_part_metadata(row.reported_metadata));
  return out;
}

void store_twin(const TwinDocument& twin, state::TwinRow& row) {
  row.stored = true;
  row.version = twin.version;
  row.etag = twin.etag;
  row.tags = JsonValue(twin.tags).to_string();
  row.desired = JsonValue(twin.desired.value).to_string();
  row.desired_metadata = store_metadata(twin.desired.metadata);
  row.desired_version = twin.desired.version;
  row.reported = JsonValue(twin.reported.value).to_string();
  row.reported_metadata = store_metadata(twin.reported.metadata);
  row.reported_version = twin.reported.version;
}

JsonValue twin_json(const state::TwinRow& row, const TwinDocument& twin, const LiveFacts& facts) {
  const state::TwinOwner& owner = row.owner;
  JsonObject out;
  out.set("deviceId", owner.device_id);
  if (!owner.module_id.empty()) out.set("moduleId", owner.module_id);
  out.set("etag", twin.etag);
  out.set("deviceEtag", owner.etag);
  out.set("version", twin.version);
  out.set("status", owner.enabled ? "enabled" : "disabled");
  if (!owner.status_reason.empty()) out.set("statusReason", owner.status_reason);
  out.set("statusUpdateTime", time_json(owner.status_updated));
  out.set("connectionState", facts.connected ? "Connected" : "Disconnected");
  out.set("lastActivityTime", time_json(facts.last_activity));
  out.set("cloudToDeviceMessageCount", facts.cloud_to_device_messages);
  out.set("authenticationType", authentication_type(owner.auth));
  JsonObject prints;
  prints.set("primaryThumbprint", thumbprint(owner.thumbprint_primary));
  prints.set("secondaryThumbprint", thumbprint(owner.thumbprint_secondary));
  out.set("x509Thumbprint", std::move(prints));
  if (owner.module_id.empty()) {
    JsonObject capabilities;
    capabilities.set("iotEdge", owner.edge);
    out.set("capabilities", std::move(capabilities));
    if (!owner.scope.empty()) out.set("deviceScope", owner.scope);
  }
  out.set("tags", tags_with_group(twin, owner));
  JsonObject properties;
  properties.set("desired", part_with_metadata(twin.desired));
  properties.set("reported", part_with_metadata(twin.reported));
  out.set("properties", std::move(properties));
  return out;
}

}  // namespace picket::hub
