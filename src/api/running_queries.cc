#include "running_queries.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/core/encoding.h"
#include "base/core/random.h"

namespace picket::api {
namespace {

constexpr int kRetryAfterS = 1;

std::string make_id() {
  std::array<std::byte, 8> bytes{};
  random_bytes(bytes);
  return to_hex(bytes);
}

}  // namespace

RunningQueries::Ticket::~Ticket() { owner_.remove(entry_); }

std::size_t RunningQueries::count(std::string_view user, bool running_only) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      entries_, [&](const Entry& entry) { return entry.start.user == user && !(running_only && entry.waiting); }));
}

std::expected<std::unique_ptr<RunningQueries::Ticket>, ApiError> RunningQueries::begin(QueryStart start,
                                                                                       const std::stop_token& stopping,
                                                                                       const std::stop_token& gone,
                                                                                       Duration patience) {
  const std::string user = start.user;
  std::unique_lock lock(mutex_);
  if (count(user, false) >= limits_.held_max) {
    ++refused_;
    return std::unexpected(ApiError{.code = "query_throttled", .retry_after_s = kRetryAfterS});
  }
  entries_.push_back({.id = make_id(), .start = std::move(start), .since = clock_.now()});
  const auto entry = std::prev(entries_.end());
  lock.unlock();
  std::unique_ptr<Ticket> ticket(new Ticket(*this, entry, stopping, gone));  // it may call back at once
  lock.lock();
  const auto turn = [&] { return count(user, true) < limits_.running_max; };
  const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(patience.us);
  const bool mine = changed_.wait_until(lock, ticket->token(), until, turn);
  if (mine) {
    entry->waiting = false;
    return ticket;
  }
  const bool cancelled = entry->end.stop_requested();
  if (!cancelled) ++refused_;
  lock.unlock();  // the ticket takes it when it goes
  if (cancelled) return std::unexpected(ApiError{.code = "query_cancelled"});
  return std::unexpected(ApiError{.code = "query_throttled", .retry_after_s = kRetryAfterS});
}

void RunningQueries::remove(std::list<Entry>::iterator entry) {
  const std::scoped_lock lock(mutex_);
  entries_.erase(entry);
  changed_.notify_all();
}

std::vector<RunningQueries::View> RunningQueries::list(std::string_view user) const {
  std::vector<View> out;
  const std::scoped_lock lock(mutex_);
  for (const Entry& entry : entries_) {
    if (!user.empty() && entry.start.user != user) continue;
    out.push_back({.id = entry.id,
                   .start = entry.start,
                   .since = entry.since,
                   .waiting = entry.waiting,
                   .percent = entry.progress->percent,
                   .rows_done = entry.progress->rows_done});
  }
  return out;
}

std::size_t RunningQueries::cancel(std::string_view id, std::string_view user) {
  std::vector<std::stop_source> ends;
  {
    const std::scoped_lock lock(mutex_);
    for (const Entry& entry : entries_) {
      const bool named = entry.id == id || (!id.empty() && entry.start.client_request_id == id);
      if (named && (user.empty() || entry.start.user == user)) ends.push_back(entry.end);
    }
    cancelled_ += ends.size();
  }
  for (std::stop_source& end : ends) end.request_stop();  // without the lock: it calls back into the workspace
  return ends.size();
}

std::uint64_t RunningQueries::refused() const {
  const std::scoped_lock lock(mutex_);
  return refused_;
}

std::uint64_t RunningQueries::cancelled() const {
  const std::scoped_lock lock(mutex_);
  return cancelled_;
}

}  // namespace picket::api
