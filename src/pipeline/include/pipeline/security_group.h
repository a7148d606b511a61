// Device security groups: the operator's own alert rules, as the vendor's API has them. Pure functions over JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::pipeline {

/// One of the 19 rule types (deviceSecurityGroups.json; names exactly so).
struct CustomRuleType {
  enum class Kind : std::uint8_t { time_window, allow_list };
  std::string_view name;
  Kind kind{};
  bool agent = false;  ///< Needs an agent on the device; else the hub's records are enough.
  std::string_view display_name;
  std::string_view description;
  std::string_view value_type;  ///< Of lists: "IpCidr", "String".
};
/// In the order of the resource: time windows first.
std::span<const CustomRuleType> custom_rule_types();
inline constexpr std::size_t kCustomRuleTypes = 19;
const CustomRuleType* find_custom_rule_type(std::string_view name);

struct CustomRule {
  bool enabled = false;
  // Time windows: how many happenings a window of one device may have.
  std::int64_t minimum = 0;
  std::int64_t maximum = 0;
  Duration window = Duration::minutes(15);
  // Lists.
  std::vector<std::string> values;

  friend bool operator==(const CustomRule&, const CustomRule&) = default;
};

struct SecurityGroup {
  std::vector<CustomRule> rules = std::vector<CustomRule>(kCustomRuleTypes);  ///< One of each type, in their order.
  std::string denylist_rules = "[]";                                          ///< JSON, kept as it came.
  std::string threshold_rules = "[]";

  friend bool operator==(const SecurityGroup&, const SecurityGroup&) = default;
};

inline constexpr std::size_t kSecurityGroupValuesMax = 1024;  ///< Of one list.
inline constexpr std::size_t kSecurityGroupBytesMax = 256U << 10;

/// The body of a PUT: {"properties":{…}} or the properties alone. Types that are not named are disabled. Errors:
/// malformed "security_group.…" with a sentence in `detail`: unknown type, type twice, minimum above maximum, a window
/// that is not a multiple of PT5M up to P1D, a value that is no network where one is wanted.
Result<SecurityGroup> parse_security_group(std::string_view json, std::string* detail = nullptr);

/// The resource: all 19 rules, with their read-only texts. `hub_resource` is the id of the hub.
std::string security_group_resource(const SecurityGroup& group, std::string_view hub_resource, std::string_view name);

/// "PT15M", "PT05M", "P1DT1H". Errors: malformed.
Result<Duration> parse_iso_duration(std::string_view text);
/// The shortest form: "PT5M", "PT1H", "P1D".
std::string format_iso_duration(Duration duration);

}  // namespace picket::pipeline
