// Threads for work that may block, so that the I/O threads never do.
#pragma once

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

#include "base/server/queue.h"

namespace picket::api {

/// Owns its threads; joins them in stop() or the destructor.
class Workers {
 public:
  using Job = std::move_only_function<void()>;

  Workers(std::size_t threads, std::size_t waiting_max);
  ~Workers();

  /// False: too much is waiting; the job was not taken.
  [[nodiscard]] bool offer(Job job) { return jobs_.offer(std::move(job)); }
  [[nodiscard]] std::uint64_t refused() const { return jobs_.dropped(); }
  [[nodiscard]] std::size_t waiting() const { return jobs_.size(); }
  /// Finishes what was taken.
  void stop();

 private:
  BoundedQueue<Job> jobs_;
  std::vector<std::jthread> threads_;
};

}  // namespace picket::api
