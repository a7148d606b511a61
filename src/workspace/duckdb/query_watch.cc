#include "duckdb/query_watch.h"

#include <algorithm>
#include <charconv>

#include <fcntl.h>
#include <unistd.h>

#include "base/core/file.h"

namespace picket::workspace {
namespace {

// DuckDB clears the interrupt flag when a statement begins, so one interrupt may be lost between two steps of a query.
constexpr auto kInterruptAgain = std::chrono::milliseconds(10);
constexpr auto kProgressEvery = std::chrono::milliseconds(500);
constexpr auto kMemoryEvery = std::chrono::milliseconds(25);
constexpr auto kTimeoutMax = std::chrono::hours(24);

/// Resident bytes of this process; 0: nobody knows.
std::uint64_t resident_bytes() {
  const auto text = read_file("/proc/self/statm", 256);  // pages: all, resident, …
  if (!text) return 0;
  const std::size_t begin = text->find(' ') + 1;
  std::uint64_t pages = 0;
  std::from_chars(text->data() + begin, text->data() + text->size(), pages);
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// Safe beside the running query: DuckDB keeps these numbers in atomics.
void read_progress(duckdb_connection connection, QueryProgress& out) {
  const duckdb_query_progress_type now = duckdb_query_progress(connection);
  out.percent = now.percentage;
  out.rows_done = now.rows_processed;
  out.rows_total = now.total_rows_to_process;
}

}  // namespace

Deadline deadline_after(Duration timeout) {
  const auto limit = std::chrono::duration_cast<std::chrono::microseconds>(kTimeoutMax).count();
  return std::chrono::steady_clock::now() + std::chrono::microseconds(std::clamp<std::int64_t>(timeout.us, 0, limit));
}

std::optional<QueryError::Kind> QueryGate::enter(Deadline deadline, const std::stop_token& cancellation) {
  std::unique_lock lock(mutex_);
  const auto free = [&] { return running_ < running_max_; };
  if (!free()) {
    if (waiting_ >= waiting_max_) return QueryError::Kind::busy;
    ++waiting_;
    const bool got = freed_.wait_until(lock, cancellation, deadline, free);
    --waiting_;
    if (!got) return cancellation.stop_requested() ? QueryError::Kind::cancelled : QueryError::Kind::timeout;
  }
  ++running_;
  return std::nullopt;
}

void QueryGate::leave() {
  const std::lock_guard lock(mutex_);
  --running_;
  freed_.notify_one();
}

std::uint32_t QueryGate::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

std::uint32_t QueryGate::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_;
}

QueryWatch::QueryWatch(std::uint64_t memory_max)
    : memory_max_(memory_max), thread_([this](const std::stop_token& stop) { run(stop); }) {}

QueryWatch::~QueryWatch() {
  thread_.request_stop();
  thread_.join();
}

void QueryWatch::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    const auto now = std::chrono::steady_clock::now();
    Deadline next = now + kTimeoutMax;
    const bool large = !entries_.empty() && too_large();
    if (!entries_.empty()) next = now + kMemoryEvery;
    for (Entry& entry : entries_) {
      if (large && !entry.verdict) entry.verdict = QueryError::Kind::memory;
      if (entry.cancelled || entry.deadline <= now || entry.verdict == QueryError::Kind::memory) {
        if (!entry.verdict) entry.verdict = entry.cancelled ? QueryError::Kind::cancelled : QueryError::Kind::timeout;
        duckdb_interrupt(entry.connection);
        next = std::min(next, now + kInterruptAgain);
      } else {
        next = std::min(next, entry.deadline);
        if (entry.progress == nullptr || now < entry.progress_at) continue;
        read_progress(entry.connection, *entry.progress);
        entry.progress_at = now + kProgressEvery;
      }
    }
    dirty_ = false;
    changed_.wait_until(lock, stop, next, [this] { return dirty_; });
  }
}

bool QueryWatch::too_large() const { return resident_bytes() > memory_before_ + memory_max_; }

QueryWatch::Guard::Guard(QueryWatch& watch, duckdb_connection connection, Deadline deadline,
                         const QueryRequest& request)
    : watch_(watch) {
  {
    const std::lock_guard lock(watch_.mutex_);
    if (watch_.entries_.empty()) watch_.memory_before_ = resident_bytes();
    entry_ = watch_.entries_.insert(watch_.entries_.end(), Entry{connection, deadline, request.progress});
    watch_.dirty_ = true;
    watch_.changed_.notify_all();
  }
  callback_.emplace(request.cancellation, Cancel{this});  // may call at once, so without the lock
}

QueryWatch::Guard::~Guard() {
  callback_.reset();  // waits for a call under way
  const std::lock_guard lock(watch_.mutex_);
  watch_.entries_.erase(entry_);
}

std::optional<QueryError::Kind> QueryWatch::Guard::verdict() const {
  const std::lock_guard lock(watch_.mutex_);
  return entry_->verdict;
}

void QueryWatch::Guard::Cancel::operator()() const {
  const std::lock_guard lock(guard->watch_.mutex_);
  guard->entry_->cancelled = true;
  guard->watch_.dirty_ = true;
  guard->watch_.changed_.notify_all();
}

}  // namespace picket::workspace
