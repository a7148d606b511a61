// Commands about incidents, groups of alerts and suppression rules.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "client.h"
#include "hub_options.h"

namespace CLI {
class App;
}

namespace picket::cli {

/// What a person decides about an alert or an incident; empty: as it was.
struct DecisionOptions {
  std::string status, owner, classification, reason, comment;
  std::string alert_status;  ///< Of the alerts of an incident.
};

struct IncidentListOptions {
  std::vector<std::string> status, severity;
  std::string device, owner, since;
  bool merged = false;
  std::uint32_t limit = 50;
};
Outcome<void> incident_list(const Client& client, const IncidentListOptions& options, bool json);
Outcome<void> incident_show(const Client& client, const std::string& id, bool json);
Outcome<void> incident_triage(const Client& client, const std::string& id, const DecisionOptions& decision);
/// Raw events behind an alert or an incident; `kind`: "alerts" or "incidents".
Outcome<void> show_events(const Client& client, const std::string& kind, const std::string& id, bool json);

struct GroupOptions {
  std::string type, device, since;
  bool by_device = false;
  bool open = false;
  std::uint32_t limit = 50;
};
Outcome<void> alert_groups(const Client& client, const GroupOptions& options, bool json);
Outcome<void> alert_group_triage(const Client& client, const std::string& type, const std::string& date,
                                 const std::string& status, const std::string& comment);
Outcome<void> alert_undo(const Client& client, const std::string& id);

struct SuppressionOptions {
  std::string id, name, reason, expires;
  std::string device, group, type, rule;
  std::string entity;  ///< "ip=192.0.2.7", or a value alone.
  std::string field;   ///< "CommandLine=/opt/backup *"
  bool disabled = false;
};
Outcome<void> suppression_list(const Client& client, bool json);
Outcome<void> suppression_set(const Client& client, const SuppressionOptions& options);
Outcome<void> suppression_remove(const Client& client, const std::string& id);

/// `picket incident …`, `picket suppression …`, and below `alert` what is about more than its list.
void add_incidents(CLI::App& app, CLI::App& alert, const OnClient& on_client, const bool& json);

}  // namespace picket::cli
