// What the API asks of scheduled analytics rules beyond their storage: whether they can run, and what they would do.
#pragma once

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "analytics/evaluate.h"
#include "analytics/rule.h"
#include "base/core/time.h"

namespace picket::api {

/// One run of a rule over a part of history, without consequences.
struct RuleTrial {
  analytics::Window window;
  std::int64_t rows = 0;
  bool suppressed = false;
  std::vector<analytics::Alert> alerts;
  std::string failure;  ///< Why the query gave nothing; empty: it did not fail.
};

class AnalyticsDesk {
 public:
  static constexpr std::size_t kTrialsMax = 500;

  virtual ~AnalyticsDesk() = default;
  /// Why the rule's query cannot run, for people; nullopt: it can.
  [[nodiscard]] virtual std::optional<std::string> problem(const analytics::Rule& rule) const = 0;
  /// Runs the rule as its schedule would have over the windows that end in (from, to], oldest first, at most
  /// kTrialsMax; stops at the first failure. Blocks.
  [[nodiscard]] virtual std::vector<RuleTrial> try_out(const analytics::Rule& rule, Timestamp from, Timestamp to,
                                                       const std::stop_token& end) const = 0;
};

}  // namespace picket::api
