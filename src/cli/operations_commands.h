// What happened in a hub and what follows from it: diagnostics, revoked certificates, routes, device security groups,
// tables that detections go by.
#pragma once

#include <string>
#include <vector>

#include "client.h"
#include "hub_options.h"

namespace CLI {
class App;
}

namespace picket::cli {

struct DiagnosticExport {
  std::string category;  ///< Empty: all.
  std::string timespan = "P1D";
  std::uint32_t limit = 1000;
};
/// JSON lines, as the server made them.
Outcome<void> diagnostics_export(const Client& client, const std::string& hub, const DiagnosticExport& options);
Outcome<void> diagnostics_list(const Client& client, const std::string& hub, bool json);
Outcome<void> diagnostics_set(const Client& client, const std::string& hub, const std::string& name,
                              const std::vector<std::string>& categories);
Outcome<void> diagnostics_remove(const Client& client, const std::string& hub, const std::string& name);

/// `which`: the name of a CA of the hub, a thumbprint, or a file with a certificate.
struct Revocation {
  std::string authority, thumbprint, file, name, reason;
};
Outcome<void> certificate_revoke(const Client& client, const std::string& hub, const Revocation& which);
Outcome<void> certificate_revoked(const Client& client, const std::string& hub, bool json);
Outcome<void> certificate_restore(const Client& client, const std::string& hub, const std::string& thumbprint);

Outcome<void> intelligence_import(const Client& client, const std::string& table, const std::string& file);
Outcome<void> intelligence_list(const Client& client, bool json);

Outcome<void> group_list(const Client& client, bool json);
Outcome<void> group_show(const Client& client, const std::string& name);
Outcome<void> group_set(const Client& client, const std::string& name, const std::string& file);
Outcome<void> group_remove(const Client& client, const std::string& name);

/// `file` empty: print the document.
Outcome<void> routing(const Client& client, const std::string& hub, const std::string& file);
Outcome<void> routing_test(const Client& client, const std::string& hub, const std::string& file);
/// Endpoints, routes and enrichments stand in one document; these change one entry of it.
Outcome<void> route_list(const Client& client, const std::string& hub, bool json);
Outcome<void> route_set(const Client& client, const std::string& hub, const std::string& file);
Outcome<void> route_remove(const Client& client, const std::string& hub, const std::string& name);

/// `picket hub diagnostics|routing …`, `revoke`, `revoked`, `restore` below `hub certificate`, `picket intelligence …`,
/// `picket security-group …`. After add_hub().
void add_operations(CLI::App& app, const OnClient& on_client, const bool& json);

}  // namespace picket::cli
