// The composition root: every part of Picket in one process.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::server {

/// How long the rows of one table are kept: in segments, then as Parquet files that queries see too.
struct TableRetention {
  Duration keep;     ///< 0: no limit, and no archive.
  Duration archive;  ///< 0: what leaves the segments is gone.
};

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
  Duration retention_age = Duration::days(30);            ///< 0: keep for ever.
  std::map<std::string, TableRetention> table_retention;  ///< By table; others go by retention_age.
  std::uint64_t retention_bytes = 64ULL << 30;            ///< Of the journal and of the segments, each. 0: no limit.
  std::uint64_t reserve_bytes = 256ULL << 20;
  std::string geo_database;  ///< File in MaxMind's format for geo_info_from_ip_address(); empty: none.
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
