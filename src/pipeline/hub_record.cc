#include "hub_record.h"

#include <boost/json.hpp>

#include "event_time.h"

namespace picket::pipeline {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax = 64;

/// A member of an object, or nullptr: also when `object` is.
const json::value* member(const json::object* object, std::string_view name) {
  return object == nullptr ? nullptr : object->if_contains({name.data(), name.size()});
}
const json::object* object_of(const json::object* object, std::string_view name) {
  const json::value* value = member(object, name);
  return value == nullptr ? nullptr : value->if_object();
}
std::string text(const json::object* object, std::string_view name) {
  const json::value* value = member(object, name);
  const json::string* found = value == nullptr ? nullptr : value->if_string();
  return found == nullptr ? std::string() : std::string(found->data(), found->size());
}
std::optional<std::int64_t> integer(const json::object* object, std::string_view name) {
  const json::value* value = member(object, name);
  if (value == nullptr) return std::nullopt;
  if (const auto* number = value->if_int64()) return *number;
  if (const auto* number = value->if_uint64()) return static_cast<std::int64_t>(*number & INT64_MAX);
  return std::nullopt;
}
std::uint64_t number(const json::object* object, std::string_view name, std::uint64_t absent = 0) {
  const auto found = integer(object, name);
  return found && *found >= 0 ? static_cast<std::uint64_t>(*found) : absent;
}
std::optional<Timestamp> time(const json::object* object, std::string_view name) {
  const auto parsed = parse_rfc3339(text(object, name));
  return parsed ? std::optional(*parsed) : std::nullopt;
}
std::optional<Duration> milliseconds(const json::object* object, std::string_view name) {
  constexpr std::int64_t kMax = 1'000'000'000'000;  // 30 years; keeps sums of durations in range
  const auto found = integer(object, name);
  if (!found || *found > kMax || *found < -kMax) return std::nullopt;
  return Duration::milliseconds(*found);
}
std::optional<bool> boolean(const json::object* object, std::string_view name) {
  const json::value* value = member(object, name);
  const bool* found = value == nullptr ? nullptr : value->if_bool();
  return found == nullptr ? std::nullopt : std::optional(*found);
}

HubCertificate certificate(const json::object* in) {
  return {.thumbprint = text(in, "thumbprint"),
          .thumbprint_sha1 = text(in, "thumbprint_sha1"),
          .subject = text(in, "subject"),
          .issuer = text(in, "issuer"),
          .issuer_thumbprint = text(in, "issuer_thumbprint"),
          .key = text(in, "key"),
          .signature = text(in, "signature"),
          .not_before = time(in, "not_before"),
          .not_after = time(in, "not_after")};
}

void read_event(const json::object& in, HubRecord& out) {
  out.kind = text(&in, "kind");
  const json::object* proven = object_of(&in, "identity");
  const json::object* named = proven != nullptr ? proven : object_of(&in, "claimed");
  out.proven = proven != nullptr;
  if (named != nullptr) {
    out.device.device_id = text(named, "device");
    out.device.module_id = text(named, "module");
    out.device.generation_id = text(named, "generation");
  }
  out.claimed_online = boolean(&in, "claimed_online");
  out.source = text(&in, "src_ip");
  out.protocol = text(&in, "protocol");
  out.transport = text(&in, "transport");
  const json::object* tls = object_of(&in, "tls");
  out.tls_version = text(tls, "version");
  out.tls_cipher = text(tls, "cipher");
  out.tls_group = text(tls, "group");
  out.server_name = text(tls, "sni");
  if (const json::object* peer = object_of(tls, "peer")) out.certificate = certificate(peer);
  const json::object* auth = object_of(&in, "auth");
  out.auth_type = text(auth, "type");
  out.auth_scope = text(auth, "scope");
  out.policy = text(auth, "skn");
  out.credential = text(auth, "credential");
  out.token_expiry = time(auth, "token_se");
  out.sdk = text(&in, "sdk");
  const json::object* result = object_of(&in, "result");
  out.code = static_cast<int>(number(result, "code") % 1'000'000);
  out.reason = text(result, "reason");
  out.operation = text(&in, "operation");
  if (const json::object* window = object_of(&in, "window")) {
    out.window_from = time(window, "from");
    out.window_to = time(window, "to");
    if (!out.window_from || !out.window_to) out.window_from = out.window_to = std::nullopt;
  }
  out.count = number(&in, "count", 1);
  out.bytes = number(&in, "bytes");
  out.size_max = number(&in, "size_max");
  out.size_p95 = number(&in, "size_p95");
  out.messages = number(&in, "messages");
  out.connected = milliseconds(&in, "connected_ms");
  out.duration = milliseconds(&in, "duration_ms");
  out.skew = milliseconds(&in, "skew_ms");
  out.dropped_before = number(&in, "dropped_before");
  out.sequence = number(&in, "seq");
}

/// A list, or a text that holds one.
json::value list_of(const json::object* in, std::string_view name) {
  const json::value* value = member(in, name);
  if (value == nullptr || !value->is_string()) return value == nullptr ? json::value() : *value;
  json::error_code error;
  json::value parsed = json::parse(value->get_string(), error, {}, {.max_depth = kDepthMax});
  return error ? json::value() : parsed;
}

/// Both shapes of IoT Hub: ipFilterRules {filterName, action, ipMask} and networkRuleSets.ipRules with defaultAction.
void read_ip_rules(const json::value& list, HubRecord& out) {
  const json::array* rules = list.if_array();
  if (rules == nullptr) return;
  auto& kept = out.ip_rules.emplace();
  for (const json::value& value : *rules) {
    const json::object* rule = value.if_object();
    if (rule == nullptr || kept.size() == HubRecord::kIpRulesMax) continue;
    std::string name = text(rule, "filterName");
    if (name.empty()) name = text(rule, "name");
    std::string mask;
    for (const std::string_view name_of_mask : {"ipMask", "mask", "network", "cidr"}) {
      if (mask.empty()) mask = text(rule, name_of_mask);
    }
    const std::string action = text(rule, "action");
    kept.push_back({std::move(name), action == "Accept" || action == "Allow" || action == "accept" || action == "allow",
                    std::move(mask)});
  }
}

std::vector<std::string> texts_of(const json::value* list, std::size_t count_max) {
  std::vector<std::string> out;
  const json::array* array = list == nullptr ? nullptr : list->if_array();
  for (std::size_t i = 0; array != nullptr && i < array->size() && out.size() < count_max; ++i) {
    if (const auto* one = (*array)[i].if_string()) out.emplace_back(one->data(), one->size());
    if (const auto* one = (*array)[i].if_object()) out.push_back(text(one, "name"));
  }
  return out;
}

void read_settings(const json::object* in, HubRecord& out) {
  if (in == nullptr) return;
  read_ip_rules(list_of(in, "rules"), out);
  read_ip_rules(list_of(in, "ipFilterRules"), out);
  read_ip_rules(list_of(in, "ipRules"), out);
  const json::object* network = object_of(in, "networkRuleSets");
  read_ip_rules(list_of(network, "ipRules"), out);
  std::string fallback = text(network, "defaultAction");
  if (fallback.empty()) fallback = text(in, "defaultAction");
  if (fallback == "Deny" || fallback == "deny" || fallback == "Reject") out.ip_default = "reject";
  if (fallback == "Allow" || fallback == "allow" || fallback == "Accept") out.ip_default = "accept";
  if (auto minimum = text(in, "minTlsVersion"); !minimum.empty()) out.tls_minimum = std::move(minimum);
  if (const auto on = boolean(in, "security")) out.security_on = on;
  for (const std::string_view name : {"diagnostics", "diagnosticSettings"}) {
    const json::value* list = member(in, name);
    if (list != nullptr && list->is_array()) out.diagnostics = texts_of(list, HubRecord::kDevicesMax);
  }
}

void read_group(const json::object& in, HubRecord& out) {
  const json::value* tag = member(object_of(&in, "tags"), "SecurityGroup");
  if (tag == nullptr) return;
  const json::string* group = tag->if_string();
  out.security_group = group == nullptr ? std::string() : std::string(group->data(), group->size());
}

/// IoT Edge keeps what a device is to run in the twin of its module $edgeAgent: a change of that is a deployment.
void read_edge_twin(const json::object& in, HubRecord& out) {
  if (!out.kind.starts_with("twin.") || out.device.module_id != "$edgeAgent") return;
  const json::object* desired = object_of(object_of(object_of(&in, "patch"), "properties"), "desired");
  if (object_of(desired, "modules") != nullptr) out.manifest = json::serialize(*desired);
}

void read_audit(const json::object& in, const journal::RecordView& record, HubRecord& out) {
  if (const auto* kind = record.property("kind")) out.kind = *kind;
  if (const auto hub = text(&in, "hub"); !hub.empty()) out.device.hub = hub;
  if (out.device.device_id.empty()) out.device.device_id = text(&in, "device");
  if (out.device.module_id.empty()) out.device.module_id = text(&in, "module");
  out.protocol = "service";
  out.source = text(&in, "source");
  out.code = static_cast<int>(number(&in, "code") % 1'000'000);
  out.reason = text(&in, "reason");
  for (const std::string_view name : {"certificate", "setting", "policy"}) {
    if (out.object.empty()) out.object = text(&in, name);
  }
  if (text(&in, "outcome") == "failed") out.kind += "_failed";
  if (out.kind.starts_with("certificate.")) {
    out.certificate = certificate(&in);
    if (out.before.empty()) out.before = text(&in, "thumbprint_before");
    if (out.after.empty()) out.after = out.certificate->thumbprint;
  }
  read_settings(&in, out);
  read_settings(object_of(&in, "settings"), out);
  read_settings(object_of(object_of(&in, "settings"), "properties"), out);
  read_group(in, out);
  out.enabled = boolean(&in, "enabled");
  out.devices = texts_of(member(&in, "devices"), HubRecord::kDevicesMax);
  out.type = text(&in, "type");
  out.rules = text(&in, "rules");
  if (const json::value* resource = member(&in, "resource")) out.resource = json::serialize(*resource);
  read_edge_twin(in, out);
  if (const json::value* manifest = member(&in, "manifest")) out.manifest = json::serialize(*manifest);
}

}  // namespace

Result<HubRecord> parse_hub_record(const journal::RecordView& record) {
  HubRecord out;
  out.audit = record.kind == journal::RecordKind::audit;
  out.device = record.identity.to_identity();
  out.time = out.enqueued = record.enqueued;
  out.id = record.id;
  out.body = as_text(record.body);
  json::error_code error;
  const json::value value = json::parse(out.body, error, {}, {.max_depth = kDepthMax});
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) return fail(Errc::malformed, "hub_record.json");
  out.actor = text(object, "actor");
  out.object = text(object, "object");
  out.before = text(object, "before");
  out.after = text(object, "after");
  if (out.audit) {
    read_audit(*object, record, out);
  } else {
    read_event(*object, out);
    if (const auto at = time(object, "ts")) out.time = event_time(*at, {}, record.enqueued);
  }
  if (out.kind.empty()) return fail(Errc::malformed, "hub_record.kind");
  return out;
}

}  // namespace picket::pipeline
