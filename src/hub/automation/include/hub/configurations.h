// Configurations: desired properties for whole fleets, kept true while devices
// come, change and go (spec/hub.md 1.4 "configs"). This is how agent settings
// reach a fleet.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "hub/hub_error.h"
#include "hub/identity_key.h"
#include "hub/json_value.h"
#include "hub/twins.h"
#include "state/configurations.h"
#include "state/devices.h"

namespace picket::hub {

inline constexpr std::size_t kConfigurationsMax = 100;  ///< Of one hub.
inline constexpr std::size_t kConfigurationBodyBytesMax = 128 * 1024;
inline constexpr std::size_t kConfigurationMetricsMax = 20;
inline constexpr Duration kMetricsEvery = Duration::minutes(5);  ///< And soon after a change.

/// The REST side answers and takes IoT Hub's JSON: {id, schemaVersion, labels,
/// content{deviceContent, modulesContent, moduleContent}, targetCondition,
/// priority, metrics{queries, results}, systemMetrics{results, queries},
/// createdTimeUtc, lastUpdatedTimeUtc, etag}. The other side, reconcile(),
/// makes twins what the configurations say: of those that match, the one with
/// the highest priority wins for each path; of equal ones the newest. What one
/// has set goes when it matches no more, unless somebody has changed the value
/// since.
///
/// A change of a configuration begins a scan of all devices; a change of a
/// device (new, tags, group, reported properties if a condition reads them)
/// marks the device, in the same transaction. Both survive a crash. Values,
/// records and twin change in one transaction for each twin.
class Configurations {
 public:
  /// All outlive it.
  Configurations(state::Database& database, Twins& twins, const Clock& clock);
  ~Configurations();

  // Any thread. Errors: 400, 404011, 412001, 413; 403002 when there are
  // kConfigurationsMax.
  void get(std::string_view hub, std::string_view id, Done<std::string> done) const;
  /// A JSON array by id; `count_max` 0: all.
  void list(std::string_view hub, std::size_t count_max, Done<std::string> done) const;
  /// Creates without `if_match` (409 if it exists), else changes. The answer is
  /// the configuration.
  void put(std::string_view hub, std::string_view id, std::string_view body, std::string if_match, state::Actor actor,
           Done<std::string> done);
  void remove(std::string_view hub, std::string_view id, std::string if_match, state::Actor actor, Done<> done);
  /// {targetCondition, customMetricQueries} to {targetConditionError,
  /// customMetricQueryErrors}.
  static HubResult<std::string> test_queries(std::string_view body);
  /// Puts a content onto one device and its modules, once: nothing is kept,
  /// nothing undone later.
  void apply_content(const IdentityKey& device, std::string_view body, state::Actor actor, Done<> done);

  /// One step of the work that waits, at most `devices_max` devices. False:
  /// nothing was left to do. One thread at a time; not the database's.
  Result<bool> reconcile(std::size_t devices_max);
  /// Counts the custom metrics whose time has come. The same thread.
  Result<> count_metrics(Timestamp now);

 private:
  class Reconciler;
  using Steps = std::vector<std::pair<IdentityKey, TwinChange>>;
  [[nodiscard]] std::optional<std::uint64_t> count_rows(const std::string& hub, const std::string& text) const;
  void apply_next(std::shared_ptr<Steps> steps, std::size_t at, state::Actor actor, Done<> done);

  state::Database& database_;
  state::Configurations store_;
  Twins& twins_;
  const Clock& clock_;
  Timestamp metrics_counted_;
  std::atomic<bool> metrics_due_{true};
};

}  // namespace picket::hub
