// One run of a baseline: facts first, then one walk for all file rules, then rule by rule; in short steps.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "baseline/content.h"
#include "baseline/facts.h"
#include "baseline/root.h"
#include "baseline/verdict.h"
#include "support/file_walk.h"

namespace picket::agent::baseline {

/// Which rules are checked.
struct Choice {
  std::uint8_t level_max = 1;
  std::uint8_t profile = 1;  ///< Bit as in Rule::profiles.
  std::vector<std::string> groups_disabled, checks_disabled;
  std::string only;  ///< One id; empty: all.

  /// Groups are compared by letters and digits only, checks by id or by number in the benchmark.
  [[nodiscard]] bool includes(const Rule& rule) const;
};

using RuleSink = std::function<void(const Rule& rule, const Verdict& verdict)>;

/// Evaluates one tree. Errors in it, and procedures that are not known, are State::error.
Verdict evaluate(Bytes tree, const Strings& strings, Facts& facts);
/// `applies`, then `check`.
Verdict check_rule(const Rule& rule, const Strings& strings, Facts& facts);

class BaselineRun {
 public:
  static constexpr std::size_t kWalkEntries = 256;  ///< Of one step.

  /// `root` and the bytes of `contents` outlive the run.
  BaselineRun(const Root& root, std::vector<Content> contents, Choice choice, RuleSink sink);
  /// Does about a millisecond of work. False: the run is over.
  bool step();
  [[nodiscard]] std::uint64_t broken_rules() const { return broken_; }

 private:
  enum class Phase : std::uint8_t { packages, plan, walk, rules, done };
  void plan();
  void plan_tree(Bytes tree, const Strings& strings, std::size_t depth);
  void plan_walk();
  void visit(const FileWalk::Entry& entry, bool& enter);
  bool next_rule();

  const Root& root_;
  std::vector<Content> contents_;
  Choice choice_;
  RuleSink sink_;
  Facts facts_;
  std::unique_ptr<FileWalk> walk_;
  Phase phase_ = Phase::packages;
  std::size_t content_ = 0, rule_ = 0;
  std::uint64_t broken_ = 0;
};

}  // namespace picket::agent::baseline
