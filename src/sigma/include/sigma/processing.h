// Processing pipelines in pySigma's YAML, as far as they make sense for an engine: they change rules while they are
// read.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sigma/complaint.h"
#include "sigma/rule.h"

namespace picket::sigma {

/// An ordered list of transformations: field_name_mapping, add_condition, change_logsource, value_placeholders,
/// drop_detection_item, rule_failure. Each may have rule_conditions (logsource, contains_field) and
/// field_name_conditions (include_fields, exclude_fields); any other transformation or condition is refused by name.
/// Immutable.
class Processing {
 public:
  /// nullopt: the document cannot be used; `complaints` says why.
  static std::optional<Processing> parse(const std::string& file, std::string_view yaml, Complaints& complaints);
  ~Processing();
  Processing(Processing&&) noexcept;
  Processing& operator=(Processing&&) noexcept;

  /// The values of a placeholder in rules of this log source; nullptr: none.
  [[nodiscard]] const std::vector<std::string>* placeholder(std::string_view name, const LogSource& source) const;

  /// Changes the rule. False: a rule_failure applies to it, or nothing is left of it; `why` says which.
  bool apply(Rule& rule, std::string& why) const;

  struct Step;

 private:
  explicit Processing(std::vector<Step> steps);
  std::vector<Step> steps_;
  std::map<std::string, std::vector<std::string>, std::less<>> variables_;
};

}  // namespace picket::sigma
