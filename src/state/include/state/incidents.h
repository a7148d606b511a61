// Incidents as people work with them: a projection of the derived journal stream, plus triage. Its position is that of
// the alerts: one reader applies both, in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"

namespace picket::state {

struct Incident {
  std::string incident_id;
  std::int64_t number = 0;  ///< From 1, in the order in which they were made.
  std::string kind;         ///< device, campaign, rule
  std::string title;
  std::string severity;
  std::string status = "New";  ///< New, Active, Closed
  std::string owner;
  std::string classification;
  std::string classification_reason;
  std::string hub;
  std::string device_id;  ///< Empty: of several devices.
  Timestamp start;
  Timestamp end;
  Timestamp created;
  Timestamp updated;
  Timestamp closed;  ///< 0 while it is open.
  std::uint32_t change = 0;
  std::string merged_into;  ///< Incident that has all of its alerts too.
  std::string json;         ///< The newest change record (docs/formats/incident.md).
  std::vector<std::string> alerts;
};

/// One thing that happened to an incident, and what it was like after it.
struct IncidentStep {
  std::string incident_id;
  std::uint64_t sequence = 0;  ///< Of the record in the derived journal.
  Timestamp time;
  std::string user;    ///< "picket": the program itself.
  std::string change;  ///< made, grown, updated, merged, unmerged, reopened, closed, triaged
  std::string status;
  std::string owner;
  std::string classification;
  std::string classification_reason;
  std::string comment;
};

/// A decision of a person. nullopt: as it was.
struct IncidentTriage {
  std::string incident_id;
  std::string user;
  std::string comment;
  Timestamp time;
  std::optional<std::string> status;
  std::optional<std::string> owner;
  std::optional<std::string> classification;
  std::optional<std::string> classification_reason;
  std::uint64_t sequence = 0;
};

struct IncidentFilter {
  std::vector<std::string> status;    ///< Empty: all.
  std::vector<std::string> severity;  ///< Empty: all.
  std::string device_id;              ///< With an alert of that device.
  std::string owner;
  std::string kind;
  std::string alert_id;
  std::optional<Timestamp> since;  ///< Last activity at or after this.
  bool merged = false;             ///< Those that are merged into another one as well.
};

struct IncidentPage {
  std::vector<Incident> incidents;  ///< Newest number first.
  std::string next;                 ///< Cursor; empty at the end.
  std::uint64_t total = 0;
};

class Incidents {
 public:
  explicit Incidents(Database& database) : database_(database) {}

  /// Applies one change record. Idempotent: an older or equal change is not applied. Returns whether anything changed.
  Result<bool> apply(const Incident& incident, std::string_view position, std::uint64_t sequence);
  /// Applies one decision. Errors: not_found.
  Result<Incident> apply(const IncidentTriage& triage, std::string_view position);

  /// By id or by number. Errors: not_found.
  Result<Incident> find(std::string_view id_or_number) const;
  /// Errors: malformed "incident.cursor".
  Result<IncidentPage> list(const IncidentFilter& filter, std::string_view cursor, std::size_t count_max) const;
  /// Oldest first.
  Result<std::vector<IncidentStep>> steps_of(std::string_view incident_id) const;
  /// What a record of the derived journal did to incidents.
  Result<std::vector<IncidentStep>> steps_by(std::uint64_t sequence) const;

 private:
  Database& database_;
};

}  // namespace picket::state
