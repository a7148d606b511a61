// Scheduled analytics rules: their files as they were imported, where each stands in time, and what its runs came to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

struct AnalyticsRuleRow {
  std::string id;
  std::string name;
  std::string source;  ///< The file's text, YAML or ARM JSON, unmodified.
  bool enabled = true;
  Timestamp changed;
  std::optional<Timestamp> next_run;          ///< nullopt: it has not run yet.
  std::optional<Timestamp> suppressed_until;  ///< Runs before it raise nothing.
  std::string state;                          ///< JSON of what the rule remembers between runs; may be empty.
};

struct AnalyticsRun {
  std::string rule_id;
  Timestamp window_start;
  Timestamp window_end;
  Timestamp at;
  std::int64_t elapsed_ms = 0;
  std::int64_t rows = 0;
  std::int64_t alerts = 0;
  std::string outcome;  ///< "fired", "quiet", "suppressed", "failed".
  std::string message;  ///< Of a failure.
};

class Analytics {
 public:
  static constexpr std::size_t kRulesMax = 4'096;
  static constexpr std::size_t kRunsKept = 100;  ///< Of one rule.

  explicit Analytics(Database& database) : database_(database) {}

  /// Adds a rule or replaces its text; a rule that changes keeps its place in time. Audited ("analytics_rule.set").
  /// Returns whether it is new. Errors: limit_exceeded "analytics_rule".
  Result<bool> put(std::string_view id, std::string_view name, std::string_view source, const Actor& actor,
                   Timestamp now);
  /// Audited. Returns whether there was one.
  Result<bool> remove(std::string_view id, const Actor& actor, Timestamp now);
  /// Audited. Errors: not_found.
  Result<> set_enabled(std::string_view id, bool enabled, const Actor& actor, Timestamp now);
  /// Errors: not_found.
  Result<AnalyticsRuleRow> find(std::string_view id) const;
  /// By name.
  Result<std::vector<AnalyticsRuleRow>> list() const;

  /// Stores what a run came to and where the rule goes on, in one transaction. Nothing happens to a rule that is gone.
  Result<> finish(const AnalyticsRun& run, Timestamp next_run, std::optional<Timestamp> suppressed_until,
                  std::string_view state);
  /// Newest first.
  Result<std::vector<AnalyticsRun>> runs(std::string_view rule_id) const;

 private:
  Database& database_;
};

}  // namespace picket::state
