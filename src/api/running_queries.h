// Queries under way: who runs what and how far it is, a share for each user, and an end on request.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <expected>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "http.h"
#include "workspace/query.h"

namespace picket::api {

/// Who asks for a query, and what with.
struct QueryStart {
  std::string user;
  std::string text;
  std::string api;                ///< "rest", "log-analytics", "kusto".
  std::string client_request_id;  ///< As the client calls it; empty: it does not.
  std::string application;        ///< As the client names itself.
};

/// Any thread.
class RunningQueries {
 public:
  /// One user's share. What comes above `held_max` is refused, so that nobody takes all workers; what comes above
  /// `running_max` waits.
  struct Limits {
    std::size_t running_max = 3;
    std::size_t held_max = 6;
  };

  struct View {
    std::string id;
    QueryStart start;
    Timestamp since;
    bool waiting = false;
    double percent = -1;  ///< -1: not known.
    std::uint64_t rows_done = 0;
  };

 private:
  struct Entry {
    std::string id;
    QueryStart start;
    Timestamp since;
    bool waiting = true;
    std::stop_source end;
    std::shared_ptr<workspace::QueryProgress> progress = std::make_shared<workspace::QueryProgress>();
  };

 public:
  /// A place of one query, as long as it lives.
  class Ticket {
   public:
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket();
    [[nodiscard]] const std::string& id() const { return entry_->id; }
    /// Requested by cancel(), by either of begin()'s tokens.
    [[nodiscard]] std::stop_token token() const { return entry_->end.get_token(); }
    [[nodiscard]] const std::shared_ptr<workspace::QueryProgress>& progress() const { return entry_->progress; }

   private:
    friend class RunningQueries;
    struct RequestStop {
      std::stop_source source;
      void operator()() { source.request_stop(); }
    };
    Ticket(RunningQueries& owner, std::list<Entry>::iterator entry, const std::stop_token& first,
           const std::stop_token& second)
        : owner_(owner),
          entry_(entry),
          first_(first, RequestStop{entry->end}),
          second_(second, RequestStop{entry->end}) {}
    RunningQueries& owner_;
    std::list<Entry>::iterator entry_;
    std::stop_callback<RequestStop> first_;
    std::stop_callback<RequestStop> second_;
  };

  RunningQueries(const Clock& clock, Limits limits) : clock_(clock), limits_(limits) {}

  /// Waits for the user's turn, at most `patience` (real time). Errors: query_throttled, query_cancelled.
  std::expected<std::unique_ptr<Ticket>, ApiError> begin(QueryStart start, const std::stop_token& stopping,
                                                         const std::stop_token& gone, Duration patience);
  /// Oldest first; `user`: only that one's, empty: all.
  [[nodiscard]] std::vector<View> list(std::string_view user) const;
  /// Ends the queries with this id or client request id; `user` as for list(). Returns how many there were.
  std::size_t cancel(std::string_view id, std::string_view user);
  [[nodiscard]] std::uint64_t refused() const;
  [[nodiscard]] std::uint64_t cancelled() const;

 private:
  [[nodiscard]] std::size_t count(std::string_view user, bool running_only) const;
  void remove(std::list<Entry>::iterator entry);

  const Clock& clock_;
  const Limits limits_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::list<Entry> entries_;
  std::uint64_t refused_ = 0;
  std::uint64_t cancelled_ = 0;
};

}  // namespace picket::api
