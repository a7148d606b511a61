// From one property of a twin to settings: names, forms and the local policy.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "agent/twin_settings.h"
#include "base/core/json_writer.h"

namespace picket::agent {

/// Whether the name has the form of an agent's property; all others in a twin are somebody else's.
bool is_agent_property(std::string_view name);

/// The classic object as it holds now, for the reported section: what was accepted, in the shape it was desired in, and
/// null for what was not, so that nothing old stays. `good` is TwinSettings::good.
void append_classic_report(JsonWriter& json, std::string_view good);

/// Applies properties one after another. Outlived by what it gets.
class TwinOverlay {
 public:
  TwinOverlay(Config& config, const TierCheck& tier_exists) : config_(config), tier_exists_(tier_exists) {}

  void begin(std::string_view name);
  /// nullopt: done (null: nothing to do). A problem other than not_optimal has changed nothing.
  std::optional<TwinProblem> apply(std::string_view name, const Json& value, bool classic);
  /// Of the setting that the last property stands for; empty: none.
  [[nodiscard]] std::string value_in_force() const;

 private:
  using Problem = std::optional<TwinProblem>;
  struct Change {
    std::string key, text;
  };

  Problem apply_published(const std::string& text);
  Problem apply_ours(const std::string& text);
  Problem apply_classic(const std::string& text);
  Problem intervals(const std::string& text);
  Problem frequency(std::string_view collector, const std::string& text);
  Problem custom_checks(const std::string& text);
  Problem classic_priority(std::string_view collector, const std::string& text);
  Problem seconds(std::vector<std::string> keys, const std::string& text);
  /// All of them, or none when one is refused. Settings of collectors that this build lacks are accepted and nothing.
  Problem set_all(const std::vector<Change>& changes);
  Problem refused_by_policy(const Change& change) const;
  Problem invalid(std::string reason) const {
    return TwinProblem{name_, TwinProblem::Kind::type, std::move(reason), {}};
  }
  Problem conflict(std::string reason) const {
    return TwinProblem{name_, TwinProblem::Kind::conflict, std::move(reason), {}};
  }

  Config& config_;
  const TierCheck& tier_exists_;
  std::string name_;
  std::string key_;  ///< First setting that the property stands for.
};

}  // namespace picket::agent
