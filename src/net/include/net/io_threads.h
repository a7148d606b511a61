// The server's I/O threads: one io_context each, so that what belongs to a thread needs no locks.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include <boost/asio/any_io_executor.hpp>

namespace picket::net {

namespace asio = boost::asio;

/// Owns the threads; joins them in stop() or the destructor. A component lives on one thread and is reached by post().
/// SIGPIPE is blocked in these threads: a peer that has gone is an error value of the write.
class IoThreads {
 public:
  /// `count` 0: one for each core that the process may use. The threads run at once.
  explicit IoThreads(std::size_t count);
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  [[nodiscard]] std::size_t size() const;
  asio::any_io_executor executor(std::size_t thread);
  /// Runs `work` on that thread, later, in the order of the calls from one caller. Any thread. After stop() it is
  /// dropped.
  void post(std::size_t thread, std::move_only_function<void()> work);
  /// True on that thread.
  [[nodiscard]] bool on_thread(std::size_t thread) const;
  /// Ends all work and joins. Components that run here are stopped before.
  void stop();

 private:
  struct Context;
  std::unique_ptr<Context[]> contexts_;
  std::size_t count_;
};

}  // namespace picket::net
