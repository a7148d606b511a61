// One function a command; each prints to stdout and returns, or says why not.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client.h"

namespace picket::cli {

/// How a new device proves itself; both empty: with keys.
struct DeviceProof {
  std::string x509_thumbprint;
  bool ca = false;
};
Outcome<void> device_add(const Client& client, const std::string& id, const std::string& group,
                         const DeviceProof& proof, bool json);
Outcome<void> device_list(const Client& client, const std::string& text, std::uint32_t limit, bool json);
Outcome<void> device_show(const Client& client, const std::string& id, bool json);
Outcome<void> device_connection_string(const Client& client, const std::string& id, const std::string& module,
                                       bool json);
Outcome<void> device_remove(const Client& client, const std::string& id);

struct AlertListOptions {
  std::vector<std::string> status;
  std::vector<std::string> severity;
  std::string device;
  std::string type;
  std::string since;
  std::string incident;
  std::string owner;
  std::uint32_t limit = 50;
};
Outcome<void> alert_list(const Client& client, const AlertListOptions& options, bool json);
Outcome<void> alert_show(const Client& client, const std::string& id, bool json);
struct AlertTriageOptions {
  std::string status, owner, classification, reason, comment;  ///< Empty: as it was.
};
Outcome<void> alert_triage(const Client& client, const std::string& id, const AlertTriageOptions& options);

struct QueryOptions {
  std::string text;  ///< "-": read from standard input.
  std::string timespan;
  std::uint32_t max_rows = 10'000;
  std::uint32_t cell_width = 80;  ///< 0: whole cells.
  std::uint32_t timeout_s = 30;
  std::string format{};  ///< "csv" or "parquet": a file in place of a table.
  std::string output{};  ///< Of that file; empty: standard output.
};
Outcome<void> query(const Client& client, const QueryOptions& options, bool json);

Outcome<void> status(const Client& client, bool json);

}  // namespace picket::cli
