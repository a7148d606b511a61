// Scheduled jobs over many devices: twin updates and direct methods
// (spec/hub.md 1.4 "jobs").
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "hub/hub_error.h"
#include "hub/identity_key.h"
#include "hub/twins.h"
#include "state/devices.h"
#include "state/jobs.h"

namespace picket::hub {

inline constexpr std::size_t kJobsOpenMax = 100;  ///< Scheduled, queued or running jobs of one hub.
inline constexpr std::size_t kJobBodyBytesMax = 256 * 1024;
inline constexpr std::size_t kJobMethodsAtOnceMax = 64;  ///< Methods under way, of all jobs.
inline constexpr std::size_t kJobTwinsAtOnceMax = 128;
inline constexpr Duration kJobTimeMax = Duration::days(2);
inline constexpr Duration kJobsKept = Duration::days(30);  ///< After their end.

struct JobMethod {
  std::string name;
  std::string payload;  ///< JSON, or empty.
  Duration response_timeout = Duration::seconds(30);
  Duration connect_timeout;
};
struct JobMethodAnswer {
  int status = 0;
  std::string payload;  ///< JSON, or empty.
};
/// How jobs call devices. The composition root puts hub::Methods behind it.
class MethodInvoker {
 public:
  virtual ~MethodInvoker() = default;
  /// `done` may come from any thread, also after the jobs have been stopped.
  virtual void invoke(const IdentityKey& target, JobMethod method, std::string_view caller,
                      Done<JobMethodAnswer> done) = 0;
};

struct JobPage {
  std::string items;         ///< A JSON array.
  std::string continuation;  ///< Empty: the last page.
};

/// Jobs that have ended since the start.
struct JobTotals {
  std::uint64_t completed = 0;  ///< Whatever its devices answered.
  std::uint64_t failed = 0;
};

/// A job, its devices and their results are rows: after a restart it goes on. A
/// twin update that was under way is made again (it changes nothing twice); a
/// method that was under way counts as failed, since the device may have run
/// it.
class Jobs {
 public:
  /// All outlive it.
  Jobs(state::Database& database, Twins& twins, MethodInvoker& methods, const Clock& clock);

  // Any thread. JSON in IoT Hub's shape: {jobId, type, queryCondition,
  // updateTwin or cloudToDeviceMethod, startTime, maxExecutionTimeInSeconds};
  // answers add status, createdTime, endTime, failureReason,
  // deviceJobStatistics. Errors: 400, 404012, 409 (exists), 413, 403002 when
  // kJobsOpenMax are open.
  void schedule(std::string_view hub, std::string_view id, std::string_view body, state::Actor actor,
                Done<std::string> done);
  void get(std::string_view hub, std::string_view id, Done<std::string> done) const;
  /// A job that has ended stays as it is; the answer is the job.
  void cancel(std::string_view hub, std::string_view id, state::Actor actor, Done<std::string> done);
  /// Newest first. `type` and `status` as in the JSON; empty: all.
  void list(std::string_view hub, std::string_view type, std::string_view status, std::string_view continuation,
            std::size_t count_max, Done<JobPage> done) const;

  /// Once, before the first run().
  Result<> recover();
  /// One step of every job that is due. False: nothing moved. One thread at a
  /// time; not the database's.
  Result<bool> run(Timestamp now);
  /// Called when a method has answered and run() has something to do; any
  /// thread.
  void on_progress(std::function<void()> listener);

  [[nodiscard]] const state::Jobs& store() const { return store_; }
  [[nodiscard]] JobTotals totals() const { return {completed_, failed_}; }

 private:
  Result<> finish(const state::JobRow& job, state::JobStatus status, std::string_view reason, Timestamp now);
  struct Answers;
  Result<> collect(state::JobRow& job, Timestamp now);
  Result<bool> step(state::JobRow job, Timestamp now);
  Result<bool> update_twins(const state::JobRow& job, Timestamp now);
  Result<bool> call_methods(const state::JobRow& job, Timestamp now);
  Result<bool> take_answers(Timestamp now);
  Result<> end_if_done(const state::JobRow& job, Timestamp now);

  state::Database& database_;
  state::Jobs store_;
  Twins& twins_;
  MethodInvoker& methods_;
  const Clock& clock_;
  Timestamp cleaned_;
  std::atomic<std::uint64_t> completed_ = 0, failed_ = 0;
  std::shared_ptr<Answers> answers_;  ///< Shared with the calls under way: they
                                      ///< may answer later than we live.
};

}  // namespace picket::hub
