// One epoll set and its timers: the agent's only thread waits here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/core/file.h"
#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::agent {

/// Level-triggered. A callback may add, change and remove descriptors and timers, its own too. Descriptors are not
/// owned. One thread.
class EventLoop {
 public:
  using OnReady = std::function<void(std::uint32_t epoll_events)>;
  using OnTimer = std::function<void()>;
  static constexpr std::size_t kDescriptorsMax = 256;

  /// `clock` outlives the loop. Errors: io.
  static Result<EventLoop> create(const Clock& clock);

  /// Errors: io, limit_exceeded, exists.
  Result<> add(int fd, std::uint32_t epoll_events, OnReady on_ready);
  /// No system call when nothing changes. Unknown descriptors are ignored.
  void change(int fd, std::uint32_t epoll_events);
  /// Must come before the descriptor is closed. Unknown descriptors are ignored.
  void remove(int fd);

  /// A timer that stands still until it is set; ids are never used again.
  std::uint32_t add_timer(OnTimer on_timer);
  /// Monotonic time of the one next call; setting it again replaces it.
  void set_timer(std::uint32_t id, Duration at);
  void stop_timer(std::uint32_t id);

  /// Waits for what comes next, at most `longest`, and calls its callbacks. Errors: io.
  Result<> run_once(Duration longest);
  [[nodiscard]] const Clock& clock() const { return *clock_; }

 private:
  struct Watch {
    int fd;
    std::uint32_t epoll_events;
    std::uint64_t serial;               ///< Tells a descriptor from a later one of the same number.
    std::shared_ptr<OnReady> on_ready;  ///< Shared with the call in progress: it may remove itself.
  };
  struct Timer {
    OnTimer on_timer;
    Duration at;
    bool set = false;
  };

  EventLoop(const Clock& clock, UniqueFd epoll) : clock_(&clock), epoll_(std::move(epoll)) {}
  void call_due_timers();

  const Clock* clock_;
  UniqueFd epoll_;
  std::uint64_t serial_ = 0;
  std::vector<Watch> watches_;
  std::vector<std::unique_ptr<Timer>> timers_;
};

}  // namespace picket::agent
