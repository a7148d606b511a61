// Import and export of a hub's identities: IoT Hub's POST /jobs/create (spec/hub.md 1.4, "jobs").
//
// The container of a job is a folder of the hub's own ("https://any-name/uploads-{hub}"): no address is ever contacted.
// An import reads `devices.txt` there and writes `importErrors.log`, an export writes `devices.txt`. It may hold keys:
// 0600.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/core/time.h"
#include "http/workers.h"
#include "hub/hub_error.h"
#include "hub/registry.h"
#include "state/devices.h"

namespace picket::hub {

inline constexpr std::string_view kDevicesFile = "devices.txt";
inline constexpr std::string_view kImportErrorsFile = "importErrors.log";
inline constexpr std::size_t kRegistryJobsKept = 100;
inline constexpr std::size_t kRegistryJobsWaitingMax = 8;
inline constexpr std::size_t kImportLineBytesMax = 256U << 10;

/// The list is kept in a file beside the folders: after a restart a job that had not ended has failed; what it has
/// imported stays. Any thread.
class RegistryJobs {
 public:
  /// `registry` and `clock` outlive it. `directory`: nobody else writes there.
  RegistryJobs(Registry& registry, std::string directory, const Clock& clock);
  /// Stops.
  ~RegistryJobs();

  /// `body`: {"type":"import"|"export", "inputBlobContainerUri", "outputBlobContainerUri", "excludeKeysInExport"}. The
  /// answer is the job. Errors: 400004, 429001 (kRegistryJobsWaitingMax).
  HubResult<std::string> create(const std::string& hub, std::string_view body, const state::Actor& actor);
  /// Error: 404012.
  [[nodiscard]] HubResult<std::string> get(std::string_view hub, std::string_view id) const;
  /// JSON array, newest first.
  [[nodiscard]] std::string list(std::string_view hub) const;
  /// Ends a job at its next line. Error: 404012.
  HubResult<> cancel(std::string_view hub, std::string_view id);
  /// Where a file of a hub is; its folder is made. Error: io.
  [[nodiscard]] Result<std::string> path_of(const std::string& hub, std::string_view name) const;
  /// Cancels all and waits.
  void stop();

 private:
  struct Job;
  using JobPtr = std::shared_ptr<Job>;  ///< Shared by the list and the worker that runs it.
  void run(Job& job);
  HubResult<> run_import(Job& job);
  HubResult<> run_export(Job& job);
  [[nodiscard]] JobPtr find(std::string_view hub, std::string_view id) const;
  [[nodiscard]] std::string json_of(const Job& job) const;
  /// Under the lock. A list that cannot be written is one that a restart forgets.
  void keep() const;
  void recall();

  Registry& registry_;
  std::string directory_;
  const Clock& clock_;
  mutable std::mutex mutex_;  ///< Guards jobs_ and what a job tells.
  std::deque<JobPtr> jobs_;
  http::Workers worker_{1, kRegistryJobsWaitingMax};
};

}  // namespace picket::hub
