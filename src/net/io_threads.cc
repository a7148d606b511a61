#include "net/io_threads.h"

#include <csignal>
#include <optional>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <sched.h>

#include "base/core/check.h"

namespace picket::net {
namespace {

/// Cores that this process may use, which hardware_concurrency() does not ask.
std::size_t usable_cores() {
  cpu_set_t set;
  const int count = ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
  return count > 0 ? static_cast<std::size_t>(count) : std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

}  // namespace

struct IoThreads::Context {
  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{asio::make_work_guard(io)};
  std::thread thread;
};

IoThreads::IoThreads(std::size_t count) : count_(count != 0 ? count : usable_cores()) {
  contexts_ = std::make_unique<Context[]>(count_);
  for (std::size_t i = 0; i < count_; ++i) {
    contexts_[i].thread = std::thread([this, i] {
      // OpenSSL writes to sockets with write(2), which raises SIGPIPE when the peer has gone.
      sigset_t pipe;
      sigemptyset(&pipe);
      sigaddset(&pipe, SIGPIPE);
      pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
      contexts_[i].io.run();
    });
  }
}

IoThreads::~IoThreads() { stop(); }

std::size_t IoThreads::size() const { return count_; }

asio::any_io_executor IoThreads::executor(std::size_t thread) {
  CHECK(thread < count_, "thread number in range");
  return contexts_[thread].io.get_executor();
}

void IoThreads::post(std::size_t thread, std::move_only_function<void()> work) {
  CHECK(thread < count_, "thread number in range");
  asio::post(contexts_[thread].io, std::move(work));
}

bool IoThreads::on_thread(std::size_t thread) const {
  return contexts_[thread].thread.get_id() == std::this_thread::get_id();
}

void IoThreads::stop() {
  for (std::size_t i = 0; i < count_; ++i) {
    contexts_[i].work.reset();
    contexts_[i].io.stop();
  }
  for (std::size_t i = 0; i < count_; ++i) {
    if (contexts_[i].thread.joinable()) contexts_[i].thread.join();
  }
}

}  // namespace picket::net
