// Bounds of queries: how many at once, how long each, and an end on request.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>

#include "duckdb/api.h"
#include "workspace/query.h"

namespace picket::workspace {

// A time limit on real CPU work is real time: the Clock that tests turn by hand does not apply here.
using Deadline = std::chrono::steady_clock::time_point;
Deadline deadline_after(Duration timeout);

/// Lets at most `running_max` queries run; at most `waiting_max` more wait for a place. Thread-safe.
class QueryGate {
 public:
  QueryGate(std::uint32_t running_max, std::uint32_t waiting_max)
      : running_max_(running_max), waiting_max_(waiting_max) {}

  /// nullopt: go on, and call leave() when done. Otherwise busy, timeout or cancelled.
  std::optional<QueryError::Kind> enter(Deadline deadline, const std::stop_token& cancellation);
  void leave();
  [[nodiscard]] std::uint32_t running() const;
  [[nodiscard]] std::uint32_t waiting() const;

 private:
  const std::uint32_t running_max_;
  const std::uint32_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable_any freed_;
  std::uint32_t running_ = 0;
  std::uint32_t waiting_ = 0;
};

/// One thread that interrupts connections whose query is out of time or was cancelled, and asks how far the others are.
/// DuckDB's own limit does not count the texts that queries make on their way: all queries end when the process has
/// grown by more than `memory_max` since the first of them began.
class QueryWatch {
 public:
  explicit QueryWatch(std::uint64_t memory_max);
  QueryWatch(const QueryWatch&) = delete;
  QueryWatch& operator=(const QueryWatch&) = delete;
  ~QueryWatch();

  class Guard;

 private:
  struct Entry {
    duckdb_connection connection;
    Deadline deadline;
    std::shared_ptr<QueryProgress> progress;
    Deadline progress_at{};  ///< When to read it next.
    bool cancelled = false;
    std::optional<QueryError::Kind> verdict;
  };
  void run(const std::stop_token& stop);
  /// Whether queries have made the process too large.
  [[nodiscard]] bool too_large() const;

  const std::uint64_t memory_max_;
  std::uint64_t memory_before_ = 0;  ///< Of the process, when the oldest of entries_ came to an empty list.
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool dirty_ = false;
  std::list<Entry> entries_;
  std::jthread thread_;
};

/// Watches one connection as long as it lives. verdict() says why the query was interrupted, if it was.
class QueryWatch::Guard {
 public:
  Guard(QueryWatch& watch, duckdb_connection connection, Deadline deadline, const QueryRequest& request);
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  ~Guard();
  [[nodiscard]] std::optional<QueryError::Kind> verdict() const;

 private:
  struct Cancel {
    Guard* guard;
    void operator()() const;
  };
  QueryWatch& watch_;
  std::list<Entry>::iterator entry_;
  std::optional<std::stop_callback<Cancel>> callback_;
};

}  // namespace picket::workspace
