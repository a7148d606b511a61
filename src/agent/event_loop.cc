#include "agent/event_loop.h"

#include <algorithm>
#include <cerrno>

#include <sys/epoll.h>

namespace picket::agent {

Result<EventLoop> EventLoop::create(const Clock& clock) {
  UniqueFd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.valid()) return fail_errno("agent.loop.create");
  return EventLoop(clock, std::move(epoll));
}

Result<> EventLoop::add(int fd, std::uint32_t epoll_events, OnReady on_ready) {
  if (watches_.size() == kDescriptorsMax) return fail(Errc::limit_exceeded, "agent.loop.add");
  if (std::ranges::count(watches_, fd, &Watch::fd) > 0) return fail(Errc::exists, "agent.loop.add");
  epoll_event event{.events = epoll_events, .data = {.fd = fd}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) return fail_errno("agent.loop.add");
  // Not make_shared, which asks for type_info and so brings the unwinder into the static binary.
  std::shared_ptr<OnReady> shared(new OnReady(std::move(on_ready)));
  watches_.push_back({fd, epoll_events, ++serial_, std::move(shared)});
  return {};
}

void EventLoop::change(int fd, std::uint32_t epoll_events) {
  const auto watch = std::ranges::find(watches_, fd, &Watch::fd);
  if (watch == watches_.end() || watch->epoll_events == epoll_events) return;
  watch->epoll_events = epoll_events;
  epoll_event event{.events = epoll_events, .data = {.fd = fd}};
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void EventLoop::remove(int fd) {
  if (std::erase_if(watches_, [fd](const Watch& watch) { return watch.fd == fd; }) == 0) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

std::uint32_t EventLoop::add_timer(OnTimer on_timer) {
  timers_.push_back(std::make_unique<Timer>(Timer{std::move(on_timer), {}, false}));
  return static_cast<std::uint32_t>(timers_.size() - 1);
}

void EventLoop::set_timer(std::uint32_t id, Duration at) {
  timers_[id]->at = at;
  timers_[id]->set = true;
}

void EventLoop::stop_timer(std::uint32_t id) { timers_[id]->set = false; }

void EventLoop::call_due_timers() {
  const Duration now = clock_->monotonic();
  // By index, and once each: a callback may add timers or set itself for now.
  const std::size_t count = timers_.size();
  for (std::size_t i = 0; i < count; ++i) {
    Timer& timer = *timers_[i];
    if (!timer.set || timer.at > now) continue;
    timer.set = false;
    timer.on_timer();
  }
}

Result<> EventLoop::run_once(Duration longest) {
  const Duration now = clock_->monotonic();
  Duration wait = longest;
  for (const auto& timer : timers_) {
    if (timer->set) wait = std::min(wait, timer->at - now);
  }
  // Rounded up: waking up early would spin until the time has come.
  const std::int64_t wait_ms = wait.us <= 0 ? 0 : std::min<std::int64_t>((wait.us + 999) / 1000, 3'600'000);
  epoll_event events[16];
  const std::uint64_t newest = serial_;
  const int count = ::epoll_wait(epoll_.get(), events, std::size(events), static_cast<int>(wait_ms));
  if (count < 0 && errno != EINTR) return fail_errno("agent.loop.wait");
  for (int i = 0; i < count; ++i) {
    const auto watch = std::ranges::find(watches_, events[i].data.fd, &Watch::fd);
    if (watch == watches_.end() || watch->serial > newest) continue;  // removed, or replaced, by an earlier callback
    const auto on_ready = watch->on_ready;
    (*on_ready)(events[i].events);
  }
  call_due_timers();
  return {};
}

}  // namespace picket::agent
