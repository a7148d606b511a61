// Routes, endpoints and enrichments of a hub as its operator writes them, in the shape of IoT Hub's `routing` property.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "hub/hub_error.h"
#include "hub/message_source.h"

namespace picket::hub {

inline constexpr std::size_t kRoutesMax = 100;
inline constexpr std::size_t kEndpointsMax = 10;
inline constexpr std::size_t kEnrichmentsMax = 10;
inline constexpr std::size_t kRoutingTextBytesMax = 256 * 1024;
/// The endpoint that every hub has.
inline constexpr std::string_view kBuiltInEndpoint = "events";

struct Route {
  std::string name;
  MessageSource source = MessageSource::device_messages;
  std::string condition = "true";
  std::string endpoint;
  bool enabled = true;
};

/// Files of JSON lines below the server's data directory: {container}/{hub}/{partition}/{YYYY}/{MM}/{DD}/{HH}/{mm}.json
struct StorageEndpoint {
  std::string name;
  std::string container;                         ///< 3 to 63 of a-z 0-9 and '-'.
  Duration batch_time = Duration::seconds(300);  ///< 60 to 720 s: a file is finished after it,
  std::uint64_t chunk_bytes = 300U << 20;        ///< or when it has this size (10 to 500 MB).
};

struct Enrichment {
  std::string key;
  std::string value;  ///< A text, `$iothubname`, or `$twin.…`; a path that leads nowhere is stamped as it stands.
  std::vector<std::string> endpoints;
};

struct RoutingConfig {
  std::vector<Route> routes;
  Route fallback{.name = "$fallback",
                 .source = MessageSource::device_messages,
                 .condition = "true",
                 .endpoint = std::string(kBuiltInEndpoint),
                 .enabled = true};
  std::vector<StorageEndpoint> storage;
  std::vector<Enrichment> enrichments;
};

/// Errors: 400004 with the member at fault: unknown source or endpoint, names that are taken twice, limits, endpoint
/// types that this version does not have (event hubs, service bus: the forwarders will).
HubResult<RoutingConfig> parse_routing(std::string_view text);
std::string to_json(const RoutingConfig& config);

}  // namespace picket::hub
