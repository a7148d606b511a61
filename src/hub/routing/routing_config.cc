#include "hub/routing_config.h"

#include <algorithm>
#include <set>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/core/json_writer.h"

namespace picket::hub {
namespace {

namespace json = boost::json;

constexpr std::size_t kNameBytesMax = 64;
constexpr std::size_t kConditionBytesMax = 4096;
constexpr std::size_t kEnrichmentBytesMax = 1024;

struct Reader {
  std::string place;  ///< "routes[3]"
  const json::object& object;

  [[nodiscard]] std::unexpected<HubError> wrong(std::string_view member, std::string_view what) const {
    return hub_fail(kArgumentInvalid, fmt::format("{}.{}: {}", place, member, what));
  }
  HubResult<std::string> text(std::string_view name, std::size_t bytes_max, bool required = true,
                              std::string_view fallback = "") const {
    const auto* value = object.if_contains(name);
    if (value == nullptr || value->is_null()) {
      if (required) return wrong(name, "is missing");
      return std::string(fallback);
    }
    if (!value->is_string()) return wrong(name, "must be a text");
    if (value->get_string().size() > bytes_max) return wrong(name, fmt::format("is longer than {} bytes", bytes_max));
    return std::string(value->get_string());
  }
  HubResult<std::int64_t> number(std::string_view name, std::int64_t low, std::int64_t high,
                                 std::int64_t fallback) const {
    const auto* value = object.if_contains(name);
    if (value == nullptr || value->is_null()) return fallback;
    if (!value->is_int64() || value->get_int64() < low || value->get_int64() > high) {
      return wrong(name, fmt::format("must be a number from {} to {}", low, high));
    }
    return value->get_int64();
  }
};

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= kNameBytesMax && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

bool is_container(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && name.front() != '-' && name.back() != '-' &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

#define ROUTING_TRY(declaration, ...)                                                                \
  auto PICKET_CONCAT(got_, __LINE__) = __VA_ARGS__;                                                  \
  if (!PICKET_CONCAT(got_, __LINE__)) return std::unexpected(PICKET_CONCAT(got_, __LINE__).error()); \
  declaration = *std::move(PICKET_CONCAT(got_, __LINE__))

HubResult<std::vector<std::string>> texts(const Reader& reader, std::string_view name, std::size_t count_max) {
  std::vector<std::string> out;
  const auto* value = reader.object.if_contains(name);
  if (value == nullptr || !value->is_array() || value->get_array().empty()) {
    return reader.wrong(name, "must be a list of endpoint names");
  }
  for (const auto& item : value->get_array()) {
    if (!item.is_string()) return reader.wrong(name, "must be a list of endpoint names");
    out.emplace_back(item.get_string());
  }
  if (out.size() > count_max) return reader.wrong(name, fmt::format("may hold at most {} names", count_max));
  return out;
}

HubResult<Route> parse_route(const Reader& reader, bool fallback) {
  Route out;
  ROUTING_TRY(out.name, reader.text("name", kNameBytesMax, !fallback, "$fallback"));
  if (!is_name(out.name) && out.name != "$fallback") {
    return reader.wrong("name", "must be 1 to 64 letters, digits, '.', '-' or '_'");
  }
  ROUTING_TRY(const std::string source, reader.text("source", kNameBytesMax));
  const auto known = message_source_of(source);
  if (!known) {
    return reader.wrong("source",
                        "must be DeviceMessages, TwinChangeEvents, DeviceLifecycleEvents, "
                        "DeviceConnectionStateEvents or DigitalTwinChangeEvents");
  }
  out.source = *known;
  ROUTING_TRY(out.condition, reader.text("condition", kConditionBytesMax, false, "true"));
  if (out.condition.empty()) out.condition = "true";
  ROUTING_TRY(auto endpoints, texts(reader, "endpointNames", 1));
  out.endpoint = std::move(endpoints.front());
  if (const auto* enabled = reader.object.if_contains("isEnabled"); enabled != nullptr) {
    if (!enabled->is_bool()) return reader.wrong("isEnabled", "must be true or false");
    out.enabled = enabled->get_bool();
  }
  return out;
}

HubResult<StorageEndpoint> parse_storage(const Reader& reader) {
  StorageEndpoint out;
  ROUTING_TRY(out.name, reader.text("name", kNameBytesMax));
  if (!is_name(out.name) || out.name == kBuiltInEndpoint) {
    return reader.wrong("name", "must be 1 to 64 letters, digits, '.', '-' or '_', and not events");
  }
  ROUTING_TRY(out.container, reader.text("containerName", 63));
  if (!is_container(out.container)) {
    return reader.wrong("containerName", "must be 3 to 63 of a-z, 0-9 and '-', and begin and end without '-'");
  }
  ROUTING_TRY(const std::string encoding, reader.text("encoding", kNameBytesMax, false, "JSON"));
  if (encoding != "JSON") return reader.wrong("encoding", "must be JSON");
  ROUTING_TRY(const std::int64_t seconds, reader.number("batchFrequencyInSeconds", 60, 720, 300));
  out.batch_time = Duration::seconds(seconds);
  constexpr std::int64_t kMiB = 1 << 20;
  ROUTING_TRY(const std::int64_t bytes, reader.number("maxChunkSizeInBytes", 10 * kMiB, 500 * kMiB, 300 * kMiB));
  out.chunk_bytes = static_cast<std::uint64_t>(bytes);
  return out;
}

HubResult<Enrichment> parse_enrichment(const Reader& reader) {
  Enrichment out;
  ROUTING_TRY(out.key, reader.text("key", kNameBytesMax));
  if (!is_name(out.key)) return reader.wrong("key", "must be 1 to 64 letters, digits, '.', '-' or '_'");
  ROUTING_TRY(out.value, reader.text("value", kEnrichmentBytesMax));
  ROUTING_TRY(out.endpoints, texts(reader, "endpointNames", kEndpointsMax + 1));
  return out;
}

template <class T, class Parse>
HubResult<std::vector<T>> parse_list(const json::object& object, std::string_view name, std::size_t count_max,
                                     Parse parse) {
  std::vector<T> out;
  const auto* value = object.if_contains(name);
  if (value == nullptr || value->is_null()) return out;
  if (!value->is_array()) return hub_fail(kArgumentInvalid, fmt::format("{}: must be a list", name));
  if (value->get_array().size() > count_max) {
    return hub_fail(kArgumentInvalid, fmt::format("{}: at most {} are possible", name, count_max));
  }
  for (std::size_t i = 0; i < value->get_array().size(); ++i) {
    const auto& item = value->get_array()[i];
    const std::string place = fmt::format("{}[{}]", name, i);
    if (!item.is_object()) return hub_fail(kArgumentInvalid, place + ": must be an object");
    ROUTING_TRY(auto one, parse(Reader{place, item.get_object()}));
    out.push_back(std::move(one));
  }
  return out;
}

HubResult<> check(const RoutingConfig& config) {
  std::set<std::string, std::less<>> endpoints{std::string(kBuiltInEndpoint)};
  for (const auto& endpoint : config.storage) {
    if (!endpoints.insert(endpoint.name).second) {
      return hub_fail(kArgumentInvalid, fmt::format("endpoints: the name {} is taken twice", endpoint.name));
    }
  }
  const auto known = [&](std::string_view owner, const std::string& name) -> HubResult<> {
    if (endpoints.contains(name)) return {};
    return hub_fail(kArgumentInvalid, fmt::format("{}: there is no endpoint {}", owner, name));
  };
  std::set<std::string, std::less<>> names;
  for (const auto& route : config.routes) {
    if (!names.insert(route.name).second) {
      return hub_fail(kArgumentInvalid, fmt::format("routes: the name {} is taken twice", route.name));
    }
    if (auto ok = known("route " + route.name, route.endpoint); !ok) return ok;
  }
  if (auto ok = known("fallbackRoute", config.fallback.endpoint); !ok) return ok;
  for (const auto& enrichment : config.enrichments) {
    for (const auto& endpoint : enrichment.endpoints) {
      if (auto ok = known("enrichment " + enrichment.key, endpoint); !ok) return ok;
    }
  }
  return {};
}

/// "endpoints" in IoT Hub's shape: a list for each type.
HubResult<std::vector<StorageEndpoint>> parse_endpoints(const json::object& object) {
  const auto* endpoints = object.if_contains("endpoints");
  if (endpoints == nullptr || endpoints->is_null()) return std::vector<StorageEndpoint>{};
  if (!endpoints->is_object()) return hub_fail(kArgumentInvalid, "endpoints: must be an object");
  for (const auto& [type, list] : endpoints->get_object()) {
    if (type == "storageContainers" || (list.is_array() && list.get_array().empty())) continue;
    return hub_fail(kArgumentInvalid,
                    fmt::format("endpoints.{}: this version has storageContainers only", std::string_view(type)));
  }
  return parse_list<StorageEndpoint>(endpoints->get_object(), "storageContainers", kEndpointsMax, parse_storage);
}

void write_route(JsonWriter& out, const Route& route) {
  out.begin_object().key("name").value(route.name).key("source").value(to_string(route.source));
  out.key("condition").value(route.condition).key("endpointNames").begin_array().value(route.endpoint).end_array();
  out.key("isEnabled").value(route.enabled).end_object();
}

}  // namespace

HubResult<RoutingConfig> parse_routing(std::string_view text) {
  if (text.size() > kRoutingTextBytesMax) return hub_fail(kTooLarge, "routing: larger than 256 KiB");
  boost::system::error_code failed;
  const auto value = json::parse(text, failed);
  if (failed || !value.is_object()) return hub_fail(kArgumentInvalid, "routing: must be a JSON object");
  const auto& object = value.get_object();
  RoutingConfig out;
  ROUTING_TRY(out.storage, parse_endpoints(object));
  ROUTING_TRY(out.routes, parse_list<Route>(object, "routes", kRoutesMax,
                                            [](const Reader& reader) { return parse_route(reader, false); }));
  ROUTING_TRY(out.enrichments, parse_list<Enrichment>(object, "enrichments", kEnrichmentsMax, parse_enrichment));
  if (const auto* fallback = object.if_contains("fallbackRoute"); fallback != nullptr && !fallback->is_null()) {
    if (!fallback->is_object()) return hub_fail(kArgumentInvalid, "fallbackRoute: must be an object");
    ROUTING_TRY(out.fallback, parse_route(Reader{"fallbackRoute", fallback->get_object()}, true));
  }
  if (auto ok = check(out); !ok) return std::unexpected(ok.error());
  return out;
}

std::string to_json(const RoutingConfig& config) {
  JsonWriter out;
  out.begin_object().key("endpoints").begin_object().key("storageContainers").begin_array();
  for (const auto& endpoint : config.storage) {
    out.begin_object().key("name").value(endpoint.name).key("containerName").value(endpoint.container);
    out.key("encoding").value("JSON");
    out.key("batchFrequencyInSeconds").value(static_cast<std::uint64_t>(endpoint.batch_time.us / 1'000'000));
    out.key("maxChunkSizeInBytes").value(endpoint.chunk_bytes).end_object();
  }
  out.end_array().end_object().key("routes").begin_array();
  for (const auto& route : config.routes) write_route(out, route);
  out.end_array().key("fallbackRoute");
  write_route(out, config.fallback);
  out.key("enrichments").begin_array();
  for (const auto& enrichment : config.enrichments) {
    out.begin_object().key("key").value(enrichment.key).key("value").value(enrichment.value);
    out.key("endpointNames").begin_array();
    for (const auto& endpoint : enrichment.endpoints) out.value(endpoint);
    out.end_array().end_object();
  }
  return out.end_array().end_object().take();
}

}  // namespace picket::hub
