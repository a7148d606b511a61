#include "hub/route_set.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include <fmt/format.h>

namespace picket::hub {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 15> kSystemNames = {{
    {"$.mid", "messageId"},
    {"$.cid", "correlationId"},
    {"$.uid", "userId"},
    {"$.ct", "contentType"},
    {"$.ce", "contentEncoding"},
    {"$.to", "to"},
    {"$.ifid", "interfaceId"},
    {"$.sub", "dt-subject"},
    {"$.on", "outputName"},
    {"iothub-connection-device-id", "connectionDeviceId"},
    {"iothub-connection-module-id", "connectionModuleId"},
    {"iothub-connection-auth-generation-id", "connectionDeviceGenerationId"},
    {"iothub-connection-auth-method", "connectionAuthMethod"},
    {"iothub-enqueuedtime", "enqueuedTime"},
    {"iothub-message-source", "messageSource"},
}};

const std::string* property_of(const StreamEvent& event, std::string_view name) {
  const auto found =
      std::ranges::find(event.properties, name, [](const auto& property) { return std::string_view(property.first); });
  return found == event.properties.end() ? nullptr : &found->second;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, [&](char x, char y) { return lower(x) == lower(y); });
}

/// What names mean for one message. Bodies and twins are parsed and fetched when they are first asked for.
class MessageResolver final : public Resolver {
 public:
  MessageResolver(const RoutedMessage& message, const TwinLookup& twins) : message_(message), twins_(twins) {}

  [[nodiscard]] const JsonValue* resolve(const FieldPath& path) const override {
    switch (path.root) {
      case FieldPath::Root::application:
        return path.steps.size() == 1 ? keep(application(path.steps[0].name)) : nullptr;
      case FieldPath::Root::system:
        return path.steps.size() == 1 ? keep(system(path.steps[0].name)) : nullptr;
      case FieldPath::Root::body:
        return body() == nullptr ? nullptr : walk(*body(), path.steps);
      case FieldPath::Root::twin:
        return twin() == nullptr ? nullptr : walk(*twin(), path.steps, true);
      case FieldPath::Root::document:
        break;
    }
    return nullptr;
  }

 private:
  const JsonValue* keep(const std::string* text) const {
    if (text == nullptr) return nullptr;
    kept_.push_back(std::make_unique<JsonValue>(*text));
    return kept_.back().get();
  }
  [[nodiscard]] const std::string* application(std::string_view name) const {
    if (!system_name_of(name).empty() || name.starts_with("$.")) return nullptr;
    return property_of(message_.event, name);
  }
  [[nodiscard]] const std::string* system(std::string_view name) const {
    const Identity& identity = message_.event.identity;
    if (equal_ignoring_case(name, "connectionDeviceId")) return &identity.device_id;
    if (equal_ignoring_case(name, "connectionModuleId"))
      return identity.module_id.empty() ? nullptr : &identity.module_id;
    if (equal_ignoring_case(name, "connectionDeviceGenerationId")) return &identity.generation_id;
    for (const auto& [property, system_name] : kSystemNames) {
      if (equal_ignoring_case(system_name, name)) return property_of(message_.event, property);
    }
    return nullptr;
  }
  /// Only JSON that says so in UTF-8 (spec 1.5); UTF-16 and UTF-32 bodies are undefined here.
  [[nodiscard]] const JsonValue* body() const {
    if (body_asked_) return body_ ? &*body_ : nullptr;
    body_asked_ = true;
    const auto* type = property_of(message_.event, "$.ct");
    const auto* encoding = property_of(message_.event, "$.ce");
    const bool json = type != nullptr &&
                      equal_ignoring_case(std::string_view(*type).substr(0, 16), "application/json") &&
                      encoding != nullptr && equal_ignoring_case(*encoding, "utf-8");
    if (!json) return nullptr;
    auto parsed = parse_json(as_text(message_.event.body));
    if (parsed) body_ = *std::move(parsed);
    return body_ ? &*body_ : nullptr;
  }
  [[nodiscard]] const JsonValue* twin() const {
    if (twin_asked_) return twin_ ? &*twin_ : nullptr;
    twin_asked_ = true;
    auto found = twins_ ? twins_(key_of(message_.event.identity)) : HubResult<JsonValue>(hub_fail(kDeviceNotFound, ""));
    if (found) twin_ = *std::move(found);
    return twin_ ? &*twin_ : nullptr;
  }

  const RoutedMessage& message_;
  const TwinLookup& twins_;
  mutable std::vector<std::unique_ptr<JsonValue>> kept_;
  mutable std::optional<JsonValue> body_, twin_;
  mutable bool body_asked_ = false, twin_asked_ = false;
};

HubResult<Condition> compile_condition(const Route& route) {
  auto compiled = Condition::compile(route.condition, Dialect::routes);
  if (compiled) return compiled;
  return hub_fail(compiled.error().code, fmt::format("route {}: {}", route.name, compiled.error().message));
}

/// "$twin.properties.desired.x" as steps behind "$twin."; empty: not a path.
std::vector<PathStep> twin_path(std::string_view value) {
  constexpr std::string_view kTwin = "$twin.";
  std::vector<PathStep> out;
  if (!value.starts_with(kTwin)) return out;
  value.remove_prefix(kTwin.size());
  for (;;) {
    const auto dot = value.find('.');
    out.push_back({.name = std::string(value.substr(0, dot)), .index = std::nullopt});
    if (dot == std::string_view::npos) return out;
    value.remove_prefix(dot + 1);
  }
}

std::string text_of(const JsonValue& value) {
  if (const auto* text = value.string()) return *text;
  return value.to_string();
}

}  // namespace

std::string_view system_name_of(std::string_view property) {
  const auto found = std::ranges::find(kSystemNames, property, [](const auto& entry) { return entry.first; });
  return found == kSystemNames.end() ? std::string_view() : found->second;
}

HubResult<std::shared_ptr<const RouteSet>> RouteSet::compile(RoutingConfig config) {
  auto out = std::make_shared<RouteSet>();
  out->config_ = std::move(config);
  for (const Route& route : out->config_.routes) {
    auto condition = compile_condition(route);
    if (!condition) return std::unexpected(condition.error());
    if (route.enabled) out->routes_.push_back({&route, *std::move(condition)});
  }
  auto condition = compile_condition(out->config_.fallback);
  if (!condition) return std::unexpected(condition.error());
  if (out->config_.fallback.enabled) out->fallback_.push_back({&out->config_.fallback, *std::move(condition)});
  return out;
}

RoutedTo RouteSet::route(const RoutedMessage& message, const TwinLookup& twins, RoutingCounters& counters) const {
  const MessageResolver resolver(message, twins);
  RoutedTo out;
  const auto try_all = [&](const std::vector<Compiled>& routes) {
    for (const Compiled& one : routes) {
      if (one.route->source != message.source) continue;
      const Truth truth = one.condition.truth(resolver);
      counters.undefined += truth == Truth::undefined ? 1 : 0;
      const std::string_view endpoint = one.route->endpoint;
      if (truth == Truth::yes && std::ranges::find(out.endpoints, endpoint) == out.endpoints.end()) {
        out.endpoints.push_back(endpoint);
      }
    }
  };
  try_all(routes_);
  if (out.endpoints.empty()) {
    try_all(fallback_);
    out.by_fallback = !out.endpoints.empty();
  }
  counters.delivered += out.endpoints.size();
  counters.fallback += out.by_fallback ? 1 : 0;
  // Events of the hub that nobody asked for are not lost messages.
  if (out.endpoints.empty() && message.source == MessageSource::device_messages) ++counters.orphaned;
  return out;
}

std::vector<std::string> RouteSet::matching(const RoutedMessage& message, const TwinLookup& twins) const {
  const MessageResolver resolver(message, twins);
  std::vector<std::string> out;
  for (const Compiled& one : routes_) {
    if (one.route->source == message.source && one.condition.evaluate(resolver)) out.push_back(one.route->name);
  }
  return out;
}

void RouteSet::enrich(StreamEvent& event, std::string_view endpoint, const TwinLookup& twins) const {
  std::optional<HubResult<JsonValue>> twin;
  for (const Enrichment& enrichment : config_.enrichments) {
    if (std::ranges::find(enrichment.endpoints, endpoint) == enrichment.endpoints.end()) continue;
    std::string value = enrichment.value;
    if (value == "$iothubname") {
      value = event.identity.hub;
    } else if (const auto path = twin_path(value); !path.empty() && twins) {
      if (!twin) twin = twins(key_of(event.identity));
      const auto* found = *twin ? walk(**twin, path, true) : nullptr;
      if (found != nullptr) value = text_of(*found);
    }
    event.properties.emplace_back(enrichment.key, std::move(value));
  }
}

}  // namespace picket::hub
