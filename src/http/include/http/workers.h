// Threads for work that may block, so that the I/O threads never do.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/server/queue.h"

namespace picket::http {

/// Owns its threads; joins them in stop() or the destructor.
class Workers {
 public:
  using Job = std::move_only_function<void()>;

  /// `background`: the threads give way to all others of the process.
  Workers(std::size_t threads, std::size_t waiting_max, bool background = false);
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

/// Runs `job` on a worker and returns to `executor` with its value; nullopt: too much is waiting. What the job refers
/// to must live until then; `job` must not throw.
template <class T>
boost::asio::awaitable<std::optional<T>> on_worker(Workers& workers, boost::asio::any_io_executor executor,
                                                   std::move_only_function<T()> job) {
  namespace asio = boost::asio;
  // The handler is owned jointly, so that a refused job leaves it here to be answered.
  auto initiate = [&workers, executor, job = std::move(job)](auto handler) mutable {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    auto finish = [executor, shared](std::optional<T> value) {
      asio::post(executor, [shared, value = std::move(value)]() mutable { std::move (*shared)(std::move(value)); });
    };
    const bool taken = workers.offer([finish, job = std::move(job)]() mutable { finish(job()); });
    if (!taken) finish(std::nullopt);
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(std::optional<T>)>(std::move(initiate),
                                                                                                 asio::use_awaitable);
}

}  // namespace picket::http
