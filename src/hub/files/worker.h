// One thread for work that waits for the disk.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace picket::hub {

/// Runs jobs in order. Any thread posts.
class Worker {
 public:
  static constexpr std::size_t kJobsMax = 1024;

  Worker() : thread_([this] { run(); }) {}
  ~Worker() { close(); }

  /// False: too many wait, or it is closed; the job is not taken.
  [[nodiscard]] bool post(std::move_only_function<void()>& job) {
    const std::scoped_lock lock(mutex_);
    if (closed_ || jobs_.size() >= kJobsMax) return false;
    jobs_.push_back(std::move(job));
    wake_.notify_one();
    return true;
  }
  /// Takes no more, runs what waits, joins.
  void close() {
    {
      const std::scoped_lock lock(mutex_);
      closed_ = true;
      wake_.notify_one();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    for (;;) {
      std::vector<std::move_only_function<void()>> jobs;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return closed_ || !jobs_.empty(); });
        if (jobs_.empty()) return;
        jobs.swap(jobs_);
      }
      for (auto& job : jobs) job();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::move_only_function<void()>> jobs_;
  bool closed_ = false;
  std::thread thread_;  // last: it uses what stands above
};

}  // namespace picket::hub
