// The routes of a hub, compiled: where a message goes, and what is stamped on it on the way. Pure but for the twin
// look-up.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hub/condition.h"
#include "hub/identity_key.h"
#include "hub/json_value.h"
#include "hub/message_source.h"
#include "hub/routing_config.h"

namespace picket::hub {

/// The twin of the message's sender. Asked only when a condition or an enrichment names it.
using TwinLookup = std::function<HubResult<JsonValue>(const IdentityKey&)>;

/// Results under the names of IoT Hub's metrics RoutingDeliveries: a message that goes to three endpoints counts three
/// times.
struct RoutingCounters {
  std::atomic<std::uint64_t> delivered, fallback, orphaned;
  std::atomic<std::uint64_t> undefined;  ///< Conditions that named what is not there, or could not be evaluated: false.
};

/// Where one message goes: names of endpoints, each once.
struct RoutedTo {
  std::vector<std::string_view> endpoints;  ///< Views into the RouteSet.
  bool by_fallback = false;
};

/// Immutable; any thread.
class RouteSet {
 public:
  /// Errors: 400004 with the route and the place in its condition.
  static HubResult<std::shared_ptr<const RouteSet>> compile(RoutingConfig config);

  [[nodiscard]] RoutedTo route(const RoutedMessage& message, const TwinLookup& twins, RoutingCounters& counters) const;
  /// Which routes match, by name: for the test of a configuration.
  [[nodiscard]] std::vector<std::string> matching(const RoutedMessage& message, const TwinLookup& twins) const;
  /// Adds the endpoint's enrichments to the properties.
  void enrich(StreamEvent& event, std::string_view endpoint, const TwinLookup& twins) const;
  [[nodiscard]] const RoutingConfig& config() const { return config_; }

 private:
  struct Compiled {
    const Route* route = nullptr;
    Condition condition;
  };
  RoutingConfig config_;
  std::vector<Compiled> routes_;
  std::vector<Compiled> fallback_;  ///< None or one.
};

/// Name of a property as conditions call it with '$': "connectionDeviceId" for iothub-connection-device-id, "messageId"
/// for
/// $.mid. Empty: an application property.
std::string_view system_name_of(std::string_view property);

}  // namespace picket::hub
