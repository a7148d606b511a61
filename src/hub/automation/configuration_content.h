// What configurations want of one twin: pure. Private to this library.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hub/condition.h"
#include "hub/hub_error.h"
#include "hub/json_value.h"
#include "state/configurations.h"

namespace picket::hub {

inline constexpr std::size_t kConfigurationLeavesMax = 1'000;

/// Leaves below properties.desired by their dotted path (keys contain no '.').
/// A null means "must not be there".
using DesiredLeaves = std::map<std::string, JsonValue>;

/// Which twins the condition is asked about.
enum class TargetScope : std::uint8_t { devices, modules };

struct TargetCondition {
  TargetScope scope = TargetScope::devices;
  bool all = false;                    ///< "*"
  std::optional<Condition> condition;  ///< Absent without `all`: nobody (empty text).
  [[nodiscard]] bool matches(const JsonValue& twin) const;
  [[nodiscard]] bool reads_reported() const;
};
/// "*", "", a condition, or "FROM devices.modules [WHERE condition]". Errors:
/// 400.
HubResult<TargetCondition> parse_target_condition(std::string_view text);

struct ConfigurationContent {
  DesiredLeaves device;                          ///< deviceContent
  std::map<std::string, DesiredLeaves> modules;  ///< modulesContent, by module id
  DesiredLeaves module;                          ///< moduleContent: of the modules the condition names
  [[nodiscard]] bool empty() const { return device.empty() && modules.empty() && module.empty(); }
};
/// The leaves as one object again.
JsonObject desired_object(const DesiredLeaves& leaves);

/// {"deviceContent": {"properties.desired.a.b": value}, ...}. Errors: 400, 413
/// for what no twin could hold.
HubResult<ConfigurationContent> parse_configuration_content(const JsonValue* content);

/// One configuration as the reconciler needs it.
struct CompiledConfiguration {
  std::string id;
  std::int64_t priority = 0;
  Timestamp created;
  TargetCondition target;
  ConfigurationContent content;
};
/// Highest priority first; of equal ones the newest.
void sort_by_priority(std::vector<CompiledConfiguration>& configurations);

/// The winner for each path of one twin. Configurations are added in the order
/// of their priority: a path is taken by the first; so are the paths above and
/// below it.
class WantedValues {
 public:
  /// Returns whether at least one leaf was taken.
  bool add(const std::string& configuration, const DesiredLeaves& leaves);
  [[nodiscard]] const std::map<std::string, state::ConfigurationValue>& values() const { return values_; }

 private:
  [[nodiscard]] bool is_free(const std::string& path) const;
  std::map<std::string, state::ConfigurationValue> values_;
};

/// The patch of the desired section that makes it what is wanted, and removes
/// what configurations had set before and is wanted no more, unless somebody
/// has changed it since. Empty: nothing to do.
JsonObject reconciling_patch(const std::map<std::string, state::ConfigurationValue>& wanted,
                             const std::map<std::string, state::ConfigurationValue>& recorded,
                             const JsonObject& desired);

}  // namespace picket::hub
