// Rules that operators added, and which rules are switched off. The pipeline is told through the outbox.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

struct RuleFileRow {
  std::string name;
  std::string yaml;
  Timestamp changed;
};

class Rules {
 public:
  static constexpr std::size_t kFilesMax = 8'192;

  explicit Rules(Database& database) : database_(database) {}

  /// Adds a file of rules or replaces it; the outbox record "rule.set" tells the pipeline. Returns whether it is new.
  /// Errors: limit_exceeded "rules".
  Result<bool> put(std::string_view name, std::string_view yaml, const Actor& actor, Timestamp now);
  /// "rule.delete". Returns whether there was one.
  Result<bool> remove(std::string_view name, const Actor& actor, Timestamp now);
  /// Errors: not_found.
  Result<RuleFileRow> find(std::string_view name) const;
  Result<std::vector<RuleFileRow>> list() const;

  /// Switches one rule, by its id. The caller checks that it exists.
  Result<> set_enabled(std::string_view id, bool enabled, const Actor& actor, Timestamp now);
  /// Ids of rules that are off.
  Result<std::vector<std::string>> disabled() const;

 private:
  Database& database_;
};

}  // namespace picket::state
