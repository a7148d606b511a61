// One call: what its head says, who makes it, and the table of what there is to call.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/core/identity.h"
#include "head_context.h"
#include "hub/files.h"
#include "hub/hub_error.h"
#include "hub/operation_counters.h"
#include "hub/provisioning.h"
#include "hub/service_authentication.h"
#include "hub/telemetry.h"
#include "hub/throttle.h"
#include "state/devices.h"

namespace picket::hub {

/// A proven device or module, acting as itself only.
struct DeviceCaller {
  Sender sender;
  [[nodiscard]] const Identity& identity() const { return sender.identity; }
};

struct Call;
using CallHandler = boost::asio::awaitable<http::Response> (*)(Call& call);

/// How a caller proves its right to a route.
enum class Access : std::uint8_t {
  open,          ///< WebSocket: the protocol inside authenticates.
  device,        ///< As the device (and module) in the path.
  service,       ///< With the rights of a policy.
  blob,          ///< With the shared access signature in its own query.
  provisioning,  ///< As a registration.
};

/// One line of the table. Patterns: {name} is one segment, decoded; * at the end is any rest.
struct CallRoute {
  std::string_view method;
  std::string_view pattern;
  Access access;
  std::uint32_t rights;  ///< Service: the caller needs all of these.
  CallHandler handler;
  std::size_t body_bytes_max = http::kBodyBytesMax;
  std::optional<Meter> meter{};  ///< What one call costs; telemetry and methods pay by what they carry.
  /// Service: what it counts as. Changes of twins that go well are counted where they are made.
  std::optional<Operation> operation{};
};

struct Call {
  HttpsContext& context;
  const CallRoute* route = nullptr;
  std::vector<std::string> values{};  ///< Of the pattern's names, in order.
  std::vector<std::pair<std::string, std::string>> query{};
  std::string host;  ///< Of the request, as sent.
  std::variant<std::monostate, DeviceCaller, ServiceCaller, BlobGrant, ProvisioningGrant> caller{};
  http::Request* request = nullptr;  ///< From the end of its body on.
  net::Stream* stream = nullptr;
  int retry_after_s = 0;  ///< Of a call that was throttled.

  [[nodiscard]] const DeviceCaller& device() const { return std::get<DeviceCaller>(caller); }
  [[nodiscard]] const ServiceCaller& service() const { return std::get<ServiceCaller>(caller); }
  [[nodiscard]] Timestamp now() const { return context.needs.clock.now(); }
  [[nodiscard]] boost::asio::any_io_executor executor() const { return stream->executor(); }
  /// A query parameter; nullopt: absent. Without '=': empty.
  [[nodiscard]] std::optional<std::string_view> parameter(std::string_view name) const;
  /// Device and module of the path: the first value, and the second where the pattern has one.
  [[nodiscard]] IdentityKey target() const;
  /// Counts an operation of the calling device.
  void count(Operation operation, std::uint64_t bytes, std::uint64_t n = 1) const;
};

std::span<const CallRoute> call_routes();

/// Finds the route of a request head. Errors: 404 or 405 as HubError codes 404000 and 405000.
HubResult<Call> find_call(HttpsContext& context, const http::Request& head);

}  // namespace picket::hub
