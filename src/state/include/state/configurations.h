// Configurations of fleets as rows: what they say, whom they reach, which
// values they have set.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"

struct sqlite3;

namespace picket::state {

struct ConfigurationRow {
  std::string hub;
  std::string id;
  std::string body;             ///< JSON as hub's automation writes it.
  bool reads_reported = false;  ///< Its condition reads reported properties, so
                                ///< that their changes count.
  std::string etag;
  Timestamp created;
  Timestamp updated;
  std::string metrics;  ///< JSON object: results of the custom metrics.
};

/// A value that a configuration has set in a twin.
struct ConfigurationValue {
  std::string configuration;
  std::string value;  ///< JSON
};

struct DirtyDevice {
  std::string device_id;
  std::int64_t mark = 0;  ///< Grows each time the device is marked again.
};

/// A walk over all devices of a hub.
struct ConfigurationScan {
  std::string after;      ///< Device id behind which it goes on.
  std::int64_t mark = 0;  ///< Grows each time it is begun anew.
};

/// Devices whose configurations must be looked at again are a table of their
/// own, filled by triggers in the transaction of the change itself: a new
/// device or module, other tags, another group, and other reported properties
/// if a condition reads them. So nothing is missed, also not by a crash.
class Configurations {
 public:
  explicit Configurations(Database& database) : database_(database) {}

  Result<std::vector<ConfigurationRow>> list(std::string_view hub) const;
  /// Errors: not_found.
  Result<ConfigurationRow> find(std::string_view hub, std::string_view id) const;
  /// Hubs that have configurations, or values that some have left behind.
  Result<std::vector<std::string>> hubs() const;

  // Inside Database::write or submit. put and remove also begin a scan of the
  // whole hub.
  static Result<std::optional<ConfigurationRow>> find_in(sqlite3* db, std::string_view hub, std::string_view id);
  static Result<std::uint64_t> count_in(sqlite3* db, std::string_view hub);
  static Result<> put(sqlite3* db, const ConfigurationRow& row);
  static Result<> remove(sqlite3* db, std::string_view hub, std::string_view id);

  // Work to do.
  Result<std::vector<DirtyDevice>> dirty(std::string_view hub, std::size_t count_max) const;
  /// Only what was not marked again in the meantime.
  Result<> clean(std::string_view hub, const std::vector<DirtyDevice>& devices);
  Result<> mark_dirty(std::string_view hub, std::string_view device_id);
  /// nullopt: none runs.
  Result<std::optional<ConfigurationScan>> scan(std::string_view hub) const;
  /// These two do nothing when the scan was begun anew in the meantime.
  Result<> move_scan(std::string_view hub, const ConfigurationScan& scan);
  Result<> end_scan(std::string_view hub, const ConfigurationScan& scan);

  // What was set where.
  Result<std::map<std::string, ConfigurationValue>> values_of(std::string_view hub, std::string_view device_id,
                                                              std::string_view module_id) const;
  static Result<> set_values(sqlite3* db, std::string_view hub, std::string_view device_id, std::string_view module_id,
                             const std::map<std::string, ConfigurationValue>& values);
  /// Configurations whose condition the twin meets; the flag: at least one of
  /// their values stands in it.
  Result<std::map<std::string, bool>> targets_of(std::string_view hub, std::string_view device_id,
                                                 std::string_view module_id) const;
  static Result<> set_targets(sqlite3* db, std::string_view hub, std::string_view device_id, std::string_view module_id,
                              const std::map<std::string, bool>& targets);
  struct Counts {
    std::uint64_t targeted = 0;
    std::uint64_t applied = 0;
  };
  Result<Counts> counts(std::string_view hub, std::string_view id) const;
  Result<> set_metrics(std::string_view hub, std::string_view id, std::string_view metrics);

 private:
  Database& database_;
};

}  // namespace picket::state
