// Scheduled jobs over many devices as rows: the job, and its progress on each
// device.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"

struct sqlite3;

namespace picket::state {

/// scheduled: its time has not come; queued: its devices are being collected;
/// running; then one of the ends.
enum class JobStatus : std::uint8_t { scheduled, queued, running, completed, failed, cancelled };
enum class JobKind : std::uint8_t { update_twin, device_method };
enum class DeviceJobStatus : std::uint8_t { pending, running, completed, failed, cancelled };

struct JobRow {
  std::string hub;
  std::string id;
  JobKind kind = JobKind::update_twin;
  JobStatus status = JobStatus::scheduled;
  std::string request;  ///< JSON: queryCondition, updateTwin or cloudToDeviceMethod.
  std::string actor;    ///< Who scheduled it.
  Timestamp created;
  Timestamp start;
  Timestamp deadline;
  Timestamp end;  ///< 0: not yet.
  std::string failure;
  std::string cursor;         ///< Device id up to which devices were collected.
  std::string cursor_module;  ///< The same of modules.
};

struct DeviceJobRow {
  std::string hub;
  std::string job_id;
  std::string device_id;
  std::string module_id;
  DeviceJobStatus status = DeviceJobStatus::pending;
  Timestamp created;
  Timestamp updated;
  Timestamp start;
  Timestamp end;
  std::string outcome;  ///< JSON: what the device or the twin answered; empty:
                        ///< nothing yet.
  std::string error;    ///< JSON: code and description; empty: none.
};

struct JobCounts {
  std::uint64_t pending = 0;
  std::uint64_t running = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  [[nodiscard]] std::uint64_t all() const { return pending + running + succeeded + failed; }
};

class Jobs {
 public:
  explicit Jobs(Database& database) : database_(database) {}

  /// Errors: exists.
  static Result<> add(sqlite3* db, const JobRow& job);
  static Result<std::uint64_t> count_open(sqlite3* db, std::string_view hub);
  /// Sets it to cancelled, and what has not begun on devices. False: it has
  /// ended before. Errors: not_found.
  static Result<bool> cancel(sqlite3* db, std::string_view hub, std::string_view id, Timestamp now);

  /// Errors: not_found.
  Result<JobRow> find(std::string_view hub, std::string_view id) const;
  /// Newest first by (created, id), behind the given one; `kind` and `status`
  /// absent: all.
  Result<std::vector<JobRow>> list(std::string_view hub, std::optional<JobKind> kind, std::optional<JobStatus> status,
                                   Timestamp before, std::string_view before_id, std::size_t count_max) const;
  Result<JobCounts> counts(std::string_view hub, std::string_view id) const;
  /// Jobs of all hubs that are scheduled for a time up to `now`, queued or
  /// running.
  Result<std::vector<JobRow>> due(Timestamp now, std::size_t count_max) const;
  /// Per-device rows of a hub in order of (device, job), for queries.
  Result<std::vector<DeviceJobRow>> devices_after(std::string_view hub, std::string_view device_id,
                                                  std::string_view job_id, std::size_t count_max) const;
  Result<std::vector<DeviceJobRow>> of_device(std::string_view hub, std::string_view device_id) const;
  Result<std::vector<DeviceJobRow>> pending(std::string_view hub, std::string_view job_id, std::size_t count_max) const;

  /// Adds devices to a queued job and moves its cursor; `done`: it is running
  /// from now on.
  Result<> collect(const JobRow& job, const std::vector<std::pair<std::string, std::string>>& targets, bool done,
                   Timestamp now);
  /// Writes status, times and results of these rows.
  Result<> update(const std::vector<DeviceJobRow>& rows);
  Result<> finish(const JobRow& job, JobStatus status, std::string_view failure, Timestamp now);
  /// After a restart: twin updates that were under way begin again, methods are
  /// failed with `error`.
  Result<> recover(std::string_view error, Timestamp now);
  /// Fails what is not done; for jobs over their time.
  Result<> fail_rest(const JobRow& job, std::string_view error, Timestamp now);
  /// Removes jobs that ended before.
  Result<> remove_ended(Timestamp before);

 private:
  Database& database_;
};

}  // namespace picket::state
