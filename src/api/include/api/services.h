// What the API needs from the rest of the server. The composition root fills it; nothing here owns anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/analytics_desk.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "hub/hub_error.h"
#include "hub/message_source.h"
#include "kql/schema.h"
#include "pipeline/rule_load.h"
#include "state/alerts.h"
#include "state/analytics.h"
#include "state/devices.h"
#include "state/incidents.h"
#include "state/outbox.h"
#include "state/posture.h"
#include "state/recommendations.h"
#include "state/rules.h"
#include "state/saved_queries.h"
#include "state/solutions.h"
#include "state/suppressions.h"
#include "state/users.h"
#include "workspace/workspace.h"

namespace picket::hub {
class Commands;
class HubAdministration;
class HubSettingsStore;
class Methods;
class Twins;
}  // namespace picket::hub

namespace picket::vulnerability {
class Desk;
}  // namespace picket::vulnerability

namespace picket::state {
class Intelligence;
class TableRetentions;
}  // namespace picket::state

namespace picket::api {

class IndicatorDesk;

/// When something was last heard of, and whether it is connected now.
struct Activity {
  std::optional<Timestamp> last;  ///< Newest message; nullopt: none has come.
  bool connected = false;
};

/// What the hub knows about identities beyond the registry. Any thread; answers from memory.
class Presence {
 public:
  virtual ~Presence() = default;
  /// The device and all its modules together.
  [[nodiscard]] virtual Activity device(std::string_view hub, std::string_view device_id) const = 0;
  [[nodiscard]] virtual Activity module(std::string_view hub, std::string_view device_id,
                                        std::string_view module_id) const = 0;
  /// The identity was disabled, removed or given other keys: its connections end now.
  virtual void revoke(std::string_view hub, std::string_view device_id) = 0;
};

/// Turns triage into a record of the derived journal stream.
class AlertDesk {
 public:
  virtual ~AlertDesk() = default;
  /// Returns the alert as it is once the record is durable and applied. May block for a group commit. Errors:
  /// not_found, unavailable.
  virtual Result<state::Alert> triage(const state::Triage& triage) = 0;
  /// The same for an incident.
  virtual Result<state::Incident> triage(const state::IncidentTriage& triage) = 0;
};

/// Routes of hubs: stored, checked and in force. Any thread that may wait for the disk.
class RouteDesk {
 public:
  virtual ~RouteDesk() = default;
  /// The document (hub/routing_config.h).
  [[nodiscard]] virtual std::string read(std::string_view hub) const = 0;
  /// Errors: 400004 with the place at fault, 413001, 503003.
  virtual hub::HubResult<> write(std::string_view hub, std::string_view json, const state::Actor& actor) = 0;
  /// Names of the routes that a message would take.
  [[nodiscard]] virtual hub::HubResult<std::vector<std::string>> test(std::string_view hub,
                                                                      const hub::RoutedMessage& message) const = 0;
};

/// Tables of the operator that detections go by. Any thread that may wait for the disk.
class IntelligenceDesk {
 public:
  virtual ~IntelligenceDesk() = default;
  /// One record of the journal, durable when it returns: the whole table is in force from there on, or the old one
  /// stays. Errors: unavailable, limit_exceeded, io.
  virtual Result<> replace(std::string_view name, std::string_view version, std::string_view body) = 0;
};

/// What a device shall do; `arguments` is a JSON object.
struct ResponseOrder {
  std::string device_id, module_id, generation_id;
  std::string action;
  std::string arguments;
  Duration lifetime;  ///< At most an hour.
};
struct SignedResponse {
  std::string id;
  std::string payload;  ///< Of the direct method PicketRespond.
};
struct ResponsePublicKeys {
  std::string current;
  std::string next;  ///< That devices are changed over to; empty: none.
};

/// Signs commands that devices carry out. Any thread.
class ResponseDesk {
 public:
  virtual ~ResponseDesk() = default;
  [[nodiscard]] virtual ResponsePublicKeys public_keys() const = 0;
  [[nodiscard]] virtual Result<SignedResponse> sign(const ResponseOrder& order, Timestamp now) const = 0;
};

/// Counters or gauges of one part of the server, by name (snake_case).
struct CounterGroup {
  std::string part;  ///< "hub", "journal", "pipeline", "workspace", "api".
  std::vector<std::pair<std::string, double>> counters;
};

struct Lag {
  std::uint64_t records = 0;  ///< Appended and not processed yet.
  double milliseconds = 0;    ///< Age of the oldest of them.
};

struct DeadLetters {
  std::uint64_t total = 0;
  std::uint64_t last_hour = 0;
};

struct MinuteCount {
  Timestamp start;
  std::uint64_t count = 0;
};

/// How the server is doing. Any thread; answers from memory.
class Health {
 public:
  virtual ~Health() = default;
  /// All parts but "api".
  [[nodiscard]] virtual std::vector<CounterGroup> counters() const = 0;
  [[nodiscard]] virtual Lag lag() const = 0;
  /// What each rule in force did and cost.
  [[nodiscard]] virtual std::vector<pipeline::RuleLoad> rule_loads() const = 0;
  [[nodiscard]] virtual DeadLetters dead_letters() const = 0;
  /// Events of the last 60 started minutes, oldest first, none left out (api/event_rate.h keeps them).
  [[nodiscard]] virtual std::vector<MinuteCount> events_per_minute(Timestamp now) const = 0;
  /// Mean of the last 5 seconds.
  [[nodiscard]] virtual double events_per_second(Timestamp now) const = 0;
};

/// Everything outlives the Server.
struct Services {
  state::Devices& devices;
  state::Users& users;
  state::Alerts& alerts;
  state::Outbox& outbox;
  workspace::Workspace& workspace;
  const kql::Schema& kql_schema;
  Presence& presence;
  AlertDesk& alert_desk;
  const Health& health;
  const Clock& clock;
  std::string hub;              ///< The one hub of this installation.
  std::string host_name;        ///< HostName of connection strings.
  std::string installation_id;  ///< UUID.
  std::string version;
  // Of the device hub; nullptr: not offered (501).
  hub::Twins* twins = nullptr;
  hub::Methods* methods = nullptr;
  hub::Commands* commands = nullptr;
  state::Recommendations* recommendations = nullptr;
  state::Posture* posture = nullptr;
  state::Rules* rules = nullptr;
  state::SecurityGroups* security_groups = nullptr;
  RouteDesk* routes = nullptr;
  std::string secrets_directory;  ///< first-sign-in is removed from it once the first user has another secret.
  // The hubs as objects; nullptr: not offered (501).
  hub::HubAdministration* hubs = nullptr;
  const hub::HubSettingsStore* hub_settings = nullptr;
  std::string id_scope;  ///< Of provisioning; empty: not offered.
  /// Whether queries have a database of places (kql::Schema::locations); empty: no. Any thread.
  std::function<bool()> has_locations{};
  IntelligenceDesk* intelligence = nullptr;
  IndicatorDesk* indicators = nullptr;
  state::Intelligence* intelligence_state = nullptr;
  const ResponseDesk* response = nullptr;
  vulnerability::Desk* vulnerability = nullptr;
  state::SavedQueries* saved_queries = nullptr;
  state::Analytics* analytics = nullptr;
  const AnalyticsDesk* analytics_desk = nullptr;
  state::Incidents* incidents = nullptr;
  state::Suppressions* suppressions = nullptr;
  state::Solutions* solutions = nullptr;
  state::TableRetentions* table_retentions = nullptr;
};

}  // namespace picket::api
