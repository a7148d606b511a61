// What the rows of a run become: alerts with their entities, and the incidents they belong to. Pure.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/rule.h"

namespace picket::analytics {

inline constexpr std::size_t kAlertsMax = 150;  ///< Of one run; with alert_per_result the rest of the rows is counted.
inline constexpr std::size_t kEntitiesMax = 100;     ///< Of one alert.
inline constexpr std::size_t kDetailValuesMax = 50;  ///< Of one custom detail.

/// Rows as text: datetime RFC 3339, dynamic JSON, null "".
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::int64_t rows_total = 0;  ///< That the query had; at least rows.size().
};

struct Window {
  Timestamp start;
  Timestamp end;
};

struct Entity {
  std::string type;  ///< Lower case: "ip", "host", "account".
  NamedTexts members;
  friend auto operator<=>(const Entity&, const Entity&) = default;
};

struct Alert {
  std::string key;  ///< Tells the alerts of one run apart; the same for the same rows.
  std::string name;
  std::string description;
  std::string severity;
  std::vector<std::string> tactics;
  std::vector<std::string> techniques;
  std::vector<std::string> sub_techniques;
  std::vector<std::string> remediation;
  std::vector<Entity> entities;
  NamedTexts properties;  ///< ExtendedProperties; "Custom Details" is JSON text.
  std::string product_name;
  std::string provider_name;
  std::string product_component;
  std::string link;
  std::string device_id;  ///< Of a row's column DeviceId, if all rows have the same.
  Timestamp start;
  Timestamp end;
  std::uint64_t rows = 0;
  std::string group_key;  ///< Alerts with the same one belong to one incident; empty: the rule makes none.
};

/// The alerts of a run; none when the rule does not fire.
std::vector<Alert> evaluate(const Rule& rule, const Table& table, const Window& window);

/// Where an alert goes.
struct Placement {
  std::string incident;      ///< Key of the incident; empty: the rule makes none.
  bool fresh = false;        ///< It begins with this alert.
  std::uint32_t change = 0;  ///< Of one that is not fresh: its last change that was told by note().
};

/// Which incidents are open for further alerts of a rule, between its runs.
class IncidentMemory {
 public:
  static constexpr std::size_t kGroupsMax = 1'000;
  static constexpr std::uint32_t kAlertsMax = 150;  ///< Of one incident; then the group goes on in a new one.
  using IsClosed = std::function<bool(std::string_view incident)>;

  /// Text of to_text(), else empty.
  explicit IncidentMemory(std::string_view text);
  /// The incident of the last alert of the group within the lookback, else a new one; a new one too when that incident
  /// is full, or closed and the rule does not reopen.
  Placement place(const Rule& rule, const Alert& alert, Timestamp now, const IsClosed& is_closed);
  /// The incident was written as this change.
  void note(std::string_view incident, std::uint32_t change);
  [[nodiscard]] std::string to_text() const;

 private:
  struct Group {
    std::string incident;
    Timestamp last;
    std::uint32_t change = 0;
    std::uint32_t alerts = 0;
  };
  std::map<std::string, Group, std::less<>> groups_;
};

}  // namespace picket::analytics
