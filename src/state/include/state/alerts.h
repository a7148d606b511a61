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
};

enum class AlertSort { start, severity, status, display_name, device_id };

struct AlertFilter {
  std::vector<std::string> status;    ///< Empty: all.
  std::vector<std::string> severity;  ///< Empty: all.
  std::string device_id;
  std::string alert_type;  ///< Compared without ASCII case.
  std::string text;        ///< Substring of name, type, device or of the record's text (`json`), ignoring ASCII case.
  std::optional<Timestamp> since;  ///< Start time at or after this.
  AlertSort sort = AlertSort::start;
  bool descending = true;
};

struct AlertPage {
  std::vector<Alert> alerts;
  std::string next;  ///< Cursor of the following page; empty at the end.
  std::uint64_t total = 0;
};

struct Triage {
  std::string alert_id;
  std::string status;
  std::string user;
  std::string comment;
  Timestamp time;
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

  /// Applies one change record that stands at `position` of the derived stream (text form of journal::Position after
  /// it). Idempotent: an older or equal change of the same alert is not applied, the position is kept with it. Returns
  /// whether the alert changed.
  Result<bool> apply(const Alert& alert, std::string_view position);
  /// Applies one triage record of the derived stream. Errors: not_found.
  Result<Alert> apply(const Triage& triage, std::string_view position);
  /// Text of the position up to which the derived stream was applied; empty at the beginning.
  Result<std::string> position() const;
  Result<> set_position(std::string_view position);

  Result<Alert> find(std::string_view alert_id) const;
  Result<std::vector<Triage>> triage_of(std::string_view alert_id) const;
  /// In the filter's order. Errors: malformed, where "alert.cursor".
  Result<AlertPage> list(const AlertFilter& filter, std::string_view cursor, std::size_t count_max) const;
  /// Alerts that are New or Active, by severity.
  Result<std::vector<SeverityCount>> open_by_severity() const;
  /// Open alerts per device and severity, for the devices that have any; devices with the most first.
  Result<std::vector<DeviceCount>> open_by_device(std::string_view hub) const;

 private:
  Database& database_;
};

}  // namespace picket::state
