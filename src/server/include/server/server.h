// The composition root: every part of Picket in one process.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::server {

/// Bootstrap settings (docs/configuration.md).
struct Options {
  std::string data = "/var/lib/picket";
  std::string portal;  ///< Folder with the built portal; empty: no portal.
  std::string address = "127.0.0.1";
  std::uint16_t mqtt_port = 8883;
  std::uint16_t amqp_port = 5671;
  std::uint16_t https_port = 443;  ///< Of the hub: device HTTPS, WebSocket, service REST. Fixed in the SDKs.
  std::uint16_t portal_port = 8443;
  std::vector<std::string> names;  ///< Further names of this host, for the certificate.
  std::string hub = "picket";
  bool parity_profile = false;
  Duration retention_age = Duration::days(30);  ///< 0: keep for ever.
  std::uint64_t retention_bytes = 64ULL << 30;  ///< Of the journal and of the segments, each. 0: no limit.
  std::uint64_t reserve_bytes = 256ULL << 20;
  std::string version;
};

/// A running server. Parts are started in the order of their dependencies and stopped the other way round.
class Server {
 public:
  virtual ~Server() = default;
  /// Ends connections, finishes what is in flight, seals nothing that a restart could not make again. Idempotent.
  virtual void stop() = 0;
};

/// Starts everything and returns; listening when it does. Errors carry the part in `where`, and a sentence for people
/// goes to `detail`.
Result<std::unique_ptr<Server>> start(const Options& options, std::string& detail);

}  // namespace picket::server
