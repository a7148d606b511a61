// POST /devices/query: queries run on a thread of their own, one after the
// other.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/server/queue.h"
#include "hub/hub_error.h"
#include "hub/query.h"
#include "hub/twins.h"
#include "state/configurations.h"
#include "state/jobs.h"

namespace picket::hub {

/// Reads nothing but one hub's rows. At most kQueriesWaitingMax wait; above
/// that 429001.
class QueryService {
 public:
  static constexpr std::size_t kQueriesWaitingMax = 64;

  /// Both outlive it.
  QueryService(state::Database& database, const Twins& twins);
  /// Answers what waits with 503.
  ~QueryService();

  /// `body`: {"query": "SELECT ..."}. `continuation` as the page before gave
  /// it; empty: from the beginning. `count_max` 0: kQueryPageDefault. Any
  /// thread; `done` is called on the service's. Errors: 400, 429001, 503003.
  void query(std::string_view hub, std::string_view body, std::string_view continuation, std::size_t count_max,
             Done<QueryPage> done);
  /// The same with the text itself, on the calling thread, as long as it takes.
  [[nodiscard]] HubResult<QueryPage> run(std::string_view hub, std::string_view text, std::string_view continuation,
                                         std::size_t count_max) const;
  [[nodiscard]] std::uint64_t refused() const { return queue_.dropped(); }

 private:
  struct Request {
    std::string hub;
    std::string text;
    std::string continuation;
    std::size_t count_max = 0;
    Done<QueryPage> done;
  };
  void work();

  const Twins& twins_;
  state::Configurations configurations_;
  state::Jobs jobs_;
  BoundedQueue<std::unique_ptr<Request>> queue_{kQueriesWaitingMax};
  std::jthread thread_;  // last: it uses what stands above
};

}  // namespace picket::hub
