#include <algorithm>
#include <array>
#include <charconv>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "../facts.h"
#include "../json_body.h"
#include "../paging.h"
#include "base/core/json_writer.h"
#include "handlers.h"

namespace picket::api {
namespace {

constexpr std::size_t kGroupBytesMax = 128;
constexpr std::size_t kKeyBytesMax = 128;  // base64 of 64 bytes is 88

using SortKey = std::array<std::int64_t, 4>;

std::string folded(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

SortKey key_of(const DeviceView& view, std::string_view field) {
  if (field == "lastActivity") return {view.activity.last ? view.activity.last->us : std::int64_t{-1}};
  if (field == "created") return {view.device.created.us};
  if (field == "openAlerts") {
    const SeverityCounts& open = view.open_alerts;
    return {static_cast<std::int64_t>(open.high), static_cast<std::int64_t>(open.medium),
            static_cast<std::int64_t>(open.low), static_cast<std::int64_t>(open.informational)};
  }
  return {};  // by the device id alone
}

// Where a device stands in a list, also one that has been left behind by a cursor.
struct Place {
  SortKey key{};
  std::string device_id;
};

struct Order {
  bool descending;
  bool operator()(const Place& a, const Place& b) const {
    if (a.key != b.key) return descending ? a.key > b.key : a.key < b.key;
    return descending ? a.device_id > b.device_id : a.device_id < b.device_id;
  }
};

std::string to_cursor(const Place& place) {
  std::string out;
  for (const std::int64_t number : place.key) out += std::to_string(number) + ",";
  return out + place.device_id;
}

std::optional<Place> from_cursor(std::string_view text) {
  Place out;
  for (std::int64_t& number : out.key) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end == text.data() + text.size() || *end != ',') return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  }
  out.device_id = text;
  return out;
}

struct Filter {
  std::string text;  // lower case
  std::string group;
  std::optional<std::string> status;
  std::optional<std::string> connection;
  std::optional<std::string> reporting;

  [[nodiscard]] bool fits(const DeviceView& view, Timestamp now) const {
    if (!group.empty() && view.device.group != group) return false;
    if (status && (*status == "enabled") != view.device.enabled) return false;
    if (connection && (*connection == "Connected") != view.activity.connected) return false;
    if (reporting && *reporting != reporting_of(view.activity, now)) return false;
    if (text.empty()) return true;
    return folded(view.device.device_id).contains(text) || folded(view.device.group).contains(text) ||
           folded(view.facts.os).contains(text);
  }
};

std::expected<Filter, ApiError> filter_of(const Call& call) {
  Filter out;
  API_TRY(const auto text, text_parameter(call, "q", 128));
  out.text = folded(text);
  API_TRY(out.group, text_parameter(call, "group", kGroupBytesMax));
  API_TRY(out.status, one_of(call, "status", {"enabled", "disabled"}));
  API_TRY(out.connection, one_of(call, "connectionState", {"Connected", "Disconnected"}));
  API_TRY(out.reporting, one_of(call, "reporting", {"reporting", "silent", "never"}));
  return out;
}

void write_module(JsonWriter& out, const Call& call, std::string_view device_id, const state::Module& module) {
  const Activity activity = call.parts.services.presence.module(call.parts.services.hub, device_id, module.module_id);
  out.begin_object().key("moduleId").value(module.module_id).key("generationId").value(module.generation_id);
  out.key("connectionState")
      .value(activity.connected ? "Connected" : "Disconnected")
      .key("created")
      .value(module.created);
  if (activity.last) out.key("lastActivity").value(*activity.last);
  out.end_object();
}

// {collector: tier} of the newest system information.
void write_coverage(JsonWriter& out, const boost::json::object& information) {
  out.key("coverage").begin_object();
  const auto* collectors = information.if_contains("Collectors");
  if (collectors != nullptr && collectors->is_array()) {
    for (const auto& entry : collectors->get_array()) {
      const auto* collector = entry.if_object();
      const auto* name = collector != nullptr ? collector->if_contains("Name") : nullptr;
      const auto* tier = collector != nullptr ? collector->if_contains("Tier") : nullptr;
      if (name == nullptr || tier == nullptr || !name->is_string() || !tier->is_string()) continue;
      out.key(std::string(name->get_string())).value(std::string(tier->get_string()));
    }
  }
  out.end_object();
}

std::expected<std::string, ApiError> device_json(const Call& call, std::string_view device_id) {
  const auto view = call.parts.facts.device(device_id);
  if (!view) return api_error(view.error(), "device");
  const std::string information = call.parts.facts.system_information(device_id);
  boost::system::error_code error;
  const boost::json::value parsed = information.empty() ? boost::json::value() : boost::json::parse(information, error);
  JsonWriter out;
  out.begin_object();
  write_summary(out, *view, call.now());
  out.key("modules").begin_array();
  for (const state::Module& module : view->device.modules) write_module(out, call, device_id, module);
  out.end_array();
  static const boost::json::object kNone;
  write_coverage(out, parsed.is_object() ? parsed.get_object() : kNone);
  if (parsed.is_object()) out.key("systemInformation").raw(information);
  return out.end_object().take();
}

std::string connection_string(const Call& call, const state::Device& device, const state::Module* module) {
  std::string out = "HostName=" + call.parts.services.host_name + ";DeviceId=" + device.device_id;
  if (module != nullptr) out += ";ModuleId=" + module->module_id;
  const state::AuthType auth = module != nullptr ? module->auth : device.auth;
  if (auth == state::AuthType::self_signed || auth == state::AuthType::certificate_authority) return out + ";x509=true";
  return out + ";SharedAccessKey=" + (module != nullptr ? module->keys.primary : device.keys.primary);
}

const state::Module* find_module(const state::Device& device, std::string_view module_id) {
  const auto found = std::ranges::find(device.modules, module_id, &state::Module::module_id);
  return found == device.modules.end() ? nullptr : &*found;
}

std::expected<void, ApiError> record_key_read(const Call& call, const state::Device& device,
                                              std::string_view module_id) {
  JsonWriter body;
  body.begin_object()
      .key("actor")
      .value(call.caller.user)
      .key("source")
      .value(call.request.address)
      .key("hub")
      .value(call.parts.services.hub);
  if (!module_id.empty()) body.key("module").value(module_id);
  const auto recorded =
      call.parts.services.outbox.record("key.read", device.device_id, body.end_object().take(), call.now());
  if (!recorded) return api_error(recorded.error(), "audit");
  return {};
}

std::expected<std::optional<state::X509Proof>, ApiError> x509_of(const JsonBody& body) {
  API_TRY(const auto type, body.text("authentication", 32));
  API_TRY(const auto primary, body.text("primaryThumbprint", 64));
  API_TRY(const auto secondary, body.text("secondaryThumbprint", 64));
  const bool thumbprints = primary.has_value() || secondary.has_value();
  if (type && *type == "sas" && thumbprints)
    return std::unexpected(invalid("primaryThumbprint", "Thumbprints belong to selfSigned."));
  if (!thumbprints && (!type || *type == "sas")) return std::nullopt;
  if (type && *type != "selfSigned" && *type != "certificateAuthority")
    return std::unexpected(invalid("authentication", "sas, selfSigned or certificateAuthority"));
  return state::X509Proof{
      type && *type == "certificateAuthority" ? state::AuthType::certificate_authority : state::AuthType::self_signed,
      {primary.value_or(""), secondary.value_or("")}};
}

}  // namespace

Answer list_devices(Call& call) {
  API_TRY(const auto filter, filter_of(call));
  API_TRY(const auto sort_text, one_of(call, "sort",
                                       {"deviceId", "-deviceId", "lastActivity", "-lastActivity", "created", "-created",
                                        "openAlerts", "-openAlerts"}));
  API_TRY(const auto limit, page_limit(call));
  API_TRY(const auto cursor, open_cursor(call));
  std::string_view sort = sort_text ? std::string_view(*sort_text) : "-lastActivity";
  const Order order{.descending = sort.starts_with('-')};
  if (order.descending) sort.remove_prefix(1);
  auto views = call.parts.facts.devices();
  if (!views) return api_error(views.error(), "devices");
  const Timestamp now = call.now();
  std::erase_if(*views, [&](const DeviceView& view) { return !filter.fits(view, now); });
  std::vector<std::pair<Place, const DeviceView*>> places;
  for (const DeviceView& view : *views) places.push_back({{key_of(view, sort), view.device.device_id}, &view});
  std::ranges::sort(places, order, &std::pair<Place, const DeviceView*>::first);

  auto at = places.begin();
  if (!cursor.empty()) {
    const auto last = from_cursor(cursor);
    if (!last) return std::unexpected(invalid("cursor", "This is not a cursor of this list."));
    at = std::ranges::upper_bound(places, *last, order, &std::pair<Place, const DeviceView*>::first);
  }
  JsonWriter out;
  out.begin_object().key("items").begin_array();
  for (std::size_t written = 0; at != places.end() && written < limit; ++at, ++written) {
    out.begin_object();
    write_summary(out, *at->second, now);
    out.end_object();
  }
  out.end_array().key("total").value(std::uint64_t{places.size()});
  if (at != places.end()) out.key("next_cursor").value(seal_cursor(call, to_cursor(std::prev(at)->first)));
  return Response::json(out.end_object().take());
}

Answer create_device(Call& call) {
  API_TRY(const auto body,
          JsonBody::parse(call.request, {"deviceId", "group", "primaryKey", "secondaryKey", "authentication",
                                         "primaryThumbprint", "secondaryThumbprint"}));
  API_TRY(const auto device_id, body.required_text("deviceId", state::kDeviceIdBytesMax));
  API_TRY(const auto group, body.text("group", kGroupBytesMax));
  API_TRY(const auto primary, body.text("primaryKey", kKeyBytesMax));
  API_TRY(const auto secondary, body.text("secondaryKey", kKeyBytesMax));
  if (!state::check_device_id(device_id))
    return std::unexpected(invalid("deviceId", "1 to 128 letters, digits and - : . + % _ # * ? ! ( ) , = @ $ '."));
  std::optional<state::Keys> keys;
  if (primary && secondary) keys = state::Keys{*primary, *secondary};
  if (primary.has_value() != secondary.has_value())
    return std::unexpected(invalid(primary ? "secondaryKey" : "primaryKey", "Give both keys or none."));
  API_TRY(const auto x509, x509_of(body));
  if (x509 && keys) return std::unexpected(invalid("primaryKey", "A device has keys or certificates."));
  const Services& services = call.parts.services;
  const std::string_view chosen = group && !group->empty() ? std::string_view(*group) : state::kDefaultGroup;
  const auto device = services.devices.add(services.hub, device_id, chosen, call.actor(), call.now(), keys, x509);
  if (!device && device.error().where == "device.thumbprint")
    return std::unexpected(
        invalid("primaryThumbprint", "40 or 64 hexadecimal digits; at least one thumbprint, none for a CA."));
  if (!device) return api_error(device.error(), device.error().code == Errc::malformed ? "primaryKey" : "deviceId");
  call.parts.live.device_changed(device_id);
  API_TRY(const auto json, device_json(call, device_id));
  JsonWriter out;
  out.begin_object().key("device").raw(json);
  if (call.caller.role == state::Role::admin) {
    if (const auto recorded = record_key_read(call, *device, state::kSecurityModule); !recorded)
      return std::unexpected(recorded.error());
    out.key("connectionString").value(connection_string(call, *device, find_module(*device, state::kSecurityModule)));
  }
  if (services.response != nullptr) out.key("responsePublicKey").value(services.response->public_keys().current);
  return Response::json(out.end_object().take(), 201);
}

Answer get_device(Call& call) {
  API_TRY(auto json, device_json(call, call.path_values[0]));
  return Response::json(std::move(json));
}

Answer update_device(Call& call) {
  API_TRY(const auto body, JsonBody::parse(call.request, {"status", "group"}));
  API_TRY(const auto status, body.text("status", 32));
  API_TRY(const auto group, body.text("group", kGroupBytesMax));
  if (!status && !group) return std::unexpected(invalid("", "Give status, group or both."));
  if (status && *status != "enabled" && *status != "disabled")
    return std::unexpected(invalid("status", "This must be enabled or disabled."));
  state::DeviceChange change;
  if (status) change.enabled = *status == "enabled";
  if (group) change.group = group->empty() ? std::string(state::kDefaultGroup) : *group;
  const Services& services = call.parts.services;
  const std::string& device_id = call.path_values[0];
  const auto changed = services.devices.change(services.hub, device_id, change, call.actor(), call.now());
  if (!changed) return api_error(changed.error(), "device");
  if (!changed->enabled) services.presence.revoke(services.hub, device_id);
  call.parts.live.device_changed(device_id);
  API_TRY(auto json, device_json(call, device_id));
  return Response::json(std::move(json));
}

Answer delete_device(Call& call) {
  const Services& services = call.parts.services;
  const std::string& device_id = call.path_values[0];
  const auto view = call.parts.facts.device(device_id);
  if (!view) return api_error(view.error(), "device");
  const auto removed = services.devices.remove(services.hub, device_id, call.actor(), call.now());
  if (!removed) return api_error(removed.error(), "device");
  services.presence.revoke(services.hub, device_id);
  JsonWriter out;
  out.begin_object();
  write_summary(out, *view, call.now());
  call.parts.live.device(out.key("deleted").value(true).end_object().take());
  return Response::empty();
}

Answer create_module(Call& call) {
  API_TRY(const auto body, JsonBody::parse(call.request, {"moduleId"}));
  API_TRY(const auto module_id, body.required_text("moduleId", state::kDeviceIdBytesMax));
  if (!state::check_device_id(module_id))
    return std::unexpected(invalid("moduleId", "1 to 128 letters, digits and - : . + % _ # * ? ! ( ) , = @ $ '."));
  const Services& services = call.parts.services;
  const auto module =
      services.devices.add_module(services.hub, call.path_values[0], module_id, call.actor(), call.now());
  if (!module) return api_error(module.error(), module.error().code == Errc::not_found ? "device" : "moduleId");
  JsonWriter out;
  write_module(out, call, call.path_values[0], *module);
  return Response::json(out.take(), 201);
}

Answer delete_module(Call& call) {
  const Services& services = call.parts.services;
  const auto removed =
      services.devices.remove_module(services.hub, call.path_values[0], call.path_values[1], call.actor(), call.now());
  if (!removed) return api_error(removed.error(), "module");
  services.presence.revoke(services.hub, call.path_values[0]);
  return Response::empty();
}

// Reading a secret is recorded before it is given.
Answer get_connection_string(Call& call) {
  const Services& services = call.parts.services;
  const auto device = services.devices.find(services.hub, call.path_values[0]);
  if (!device) return api_error(device.error(), "device");
  const std::string module_id = call.parameter("module").value_or("");
  const state::Module* module = find_module(*device, module_id);
  if (!module_id.empty() && module == nullptr)
    return std::unexpected(ApiError{.code = "not_found", .target = "module"});
  if (const auto recorded = record_key_read(call, *device, module_id); !recorded)
    return std::unexpected(recorded.error());
  JsonWriter out;
  out.begin_object().key("connectionString").value(connection_string(call, *device, module));
  return Response::json(out.end_object().take());
}

}  // namespace picket::api
