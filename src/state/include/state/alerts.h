// Alerts as people work with them: a projection of the derived journal stream, plus triage.
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

/// What lists and filters need is in columns; everything else is in `json`, the newest change record as the pipeline
/// wrote it (docs/formats/alert.md).
struct Alert {
  std::string alert_id;  ///< SystemAlertId
  std::string alert_type;
  std::string display_name;
  std::string severity;        ///< Informational, Low, Medium, High
  std::string status = "New";  ///< New, Active, Resolved, Dismissed
  std::string hub;
  std::string device_id;
  std::string module_id;
  Timestamp start;
  Timestamp end;
  Timestamp updated;
  std::uint32_t change = 0;  ///< Number of the newest change record applied; 0 is the first.
  std::string json;
  std::string owner;
  std::string classification;         ///< Undetermined, TruePositive, BenignPositive, FalsePositive; empty: not said.
  std::string classification_reason;  ///< As Sentinel has them, e.g. SuspiciousButExpected.
  std::uint64_t count = 1;            ///< Happenings.
  std::string suppressed_by;          ///< Id of the suppression rule it falls under.
  Timestamp closed;                   ///< When it was resolved or dismissed; 0 while it is open.
};

enum class AlertSort { start, severity, status, display_name, device_id };

struct AlertFilter {
  std::vector<std::string> status;    ///< Empty: all.
  std::vector<std::string> severity;  ///< Empty: all.
  std::string device_id;
  std::string alert_type;  ///< Compared without ASCII case.
  std::string text;        ///< Substring of name, type, device or of the record's text (`json`), ignoring ASCII case.
  std::optional<Timestamp> since;  ///< Start time at or after this.
  std::optional<Timestamp> until;  ///< Start time before this.
  std::string owner;
  std::string classification;
  std::string suppressed_by;
  std::string incident_id;  ///< Alerts of that incident.
  AlertSort sort = AlertSort::start;
  bool descending = true;
};

struct AlertPage {
  std::vector<Alert> alerts;
  std::string next;  ///< Cursor of the following page; empty at the end.
  std::uint64_t total = 0;
};

/// One decision about an alert, or about all alerts of one type that begin on one day.
struct Triage {
  std::string alert_id;  ///< Empty: of the group.
  std::string status;
  std::string user;
  std::string comment;
  Timestamp time;
  // nullopt: as it was.
  std::optional<std::string> owner = {};
  std::optional<std::string> classification = {};
  std::optional<std::string> classification_reason = {};
  std::string group_type = {};  ///< AlertType of the group; what comes to it later is dismissed with it.
  Timestamp group_day = {};     ///< Begin of its UTC day.
  std::uint64_t sequence = 0;   ///< Of its record in the derived journal.
};

/// Alerts of one name that begin on one UTC day; on one device when devices are told apart.
struct AlertGroup {
  std::string alert_type;
  std::string display_name;
  std::string device_id;  ///< Empty: all devices.
  Timestamp day;
  std::string severity;  ///< The highest.
  std::uint64_t alerts = 0;
  std::uint64_t count = 0;  ///< Happenings.
  std::uint64_t devices = 0;
  std::uint64_t open = 0;  ///< Alerts that are New or Active.
  Timestamp start;
  Timestamp end;
};

struct AlertGroupFilter {
  std::optional<Timestamp> since;  ///< Day at or after this.
  std::optional<Timestamp> until;
  std::string alert_type;  ///< Case ignored.
  std::string device_id;
  bool by_device = false;
  bool open_only = false;
};

struct SeverityCount {
  std::string severity;
  std::uint64_t count = 0;
};

struct DeviceCount {
  std::string device_id;
  std::vector<SeverityCount> severities;
};

class Alerts {
 public:
  explicit Alerts(Database& database) : database_(database) {}
  [[nodiscard]] Database& database() const { return database_; }

  /// Applies one change record that stands at `position` of the derived stream (text form of journal::Position after
  /// it). Idempotent: an older or equal change of the same alert is not applied, the position is kept with it. Returns
  /// whether the alert changed.
  /// A resolved alert that goes on after it was closed is New again; one that is suppressed, or of a group that was
  /// dismissed, begins as Dismissed. `sequence`: of the record.
  Result<bool> apply(const Alert& alert, std::string_view position, std::uint64_t sequence = 0);
  /// Applies one triage record of the derived stream; an incident all of whose alerts are closed is closed with them.
  /// The alert; the first of a group. Errors: not_found.
  Result<Alert> apply(const Triage& triage, std::string_view position);
  /// Text of the position up to which the derived stream was applied; empty at the beginning.
  Result<std::string> position() const;
  Result<> set_position(std::string_view position);

  Result<Alert> find(std::string_view alert_id) const;
  Result<std::vector<Triage>> triage_of(std::string_view alert_id) const;
  /// Status as it was right behind a record of the derived journal.
  Result<std::string> status_at(std::string_view alert_id, std::uint64_t sequence) const;
  /// Alerts whose status a triage record changed.
  Result<std::vector<Alert>> triaged_by(std::uint64_t sequence) const;
  /// Newest day first, then the gravest; at most `count_max` from `skip` on. The second is how many there are.
  Result<std::pair<std::vector<AlertGroup>, std::uint64_t>> groups(const AlertGroupFilter& filter, std::size_t skip,
                                                                   std::size_t count_max) const;
  /// In the filter's order. Errors: malformed, where "alert.cursor".
  Result<AlertPage> list(const AlertFilter& filter, std::string_view cursor, std::size_t count_max) const;
  /// Alerts that are New or Active, by severity.
  Result<std::vector<SeverityCount>> open_by_severity() const;
  /// Open alerts per device and severity, for the devices that have any; devices with the most first.
  Result<std::vector<DeviceCount>> open_by_device(std::string_view hub) const;
  /// Those of one device; by the index, for a fleet in which every device has some.
  Result<std::vector<SeverityCount>> open_of_device(std::string_view hub, std::string_view device_id) const;

 private:
  Database& database_;
};

}  // namespace picket::state
