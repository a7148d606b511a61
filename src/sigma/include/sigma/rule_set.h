// All rules together: filters put into the rules they name, correlations tied to what they refer to, fields numbered.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sigma/complaint.h"
#include "sigma/event.h"
#include "sigma/rule.h"

namespace picket::sigma {

inline constexpr std::size_t kRulesMax = 65'536;
inline constexpr std::size_t kCorrelationsMax = 4'096;
inline constexpr std::size_t kChainDepthMax = 8;  ///< Correlations of correlations of …

using RuleIndex = std::uint32_t;
using CorrelationIndex = std::uint32_t;

/// A rule that is ready to be compiled.
struct LinkedRule {
  Head head;
  LogSource source;
  Expression expression;             ///< Conditions and filters in one.
  std::vector<std::string> filters;  ///< Titles of those put in.
  /// A match is an alert of its own. False where only correlations without `generate` refer to the rule.
  bool alerts = true;
};

/// How matches of one rule, or happenings of one correlation, enter another correlation.
struct Link {
  bool from_correlation = false;
  std::uint32_t from = 0;         ///< RuleIndex or CorrelationIndex.
  std::uint32_t place = 0;        ///< Position under `rules`; temporal kinds need it.
  std::vector<FieldId> group_by;  ///< Aliases looked up; in the order of the correlation's group-by.
  std::vector<FieldId> fields;    ///< Whose values count.
};

struct LinkedCorrelation {
  Correlation correlation;
  std::vector<Link> links;
  bool alerts = true;
};

/// Immutable. Rules keep the order in which they were read; each correlation stands behind those it refers to.
class RuleSet {
 public:
  /// What cannot be used is left out and named in `complaints`: two documents with one id or name, references to rules
  /// that are not there, correlations in a circle, a filter for a rule of another log source.
  static RuleSet link(Documents documents, Complaints& complaints);

  [[nodiscard]] std::span<const LinkedRule> rules() const { return rules_; }
  [[nodiscard]] std::span<const LinkedCorrelation> correlations() const { return correlations_; }
  /// kUnnamedField: no rule reads it.
  [[nodiscard]] FieldId field(std::string_view name) const;
  [[nodiscard]] std::size_t field_count() const { return names_.size(); }
  [[nodiscard]] const std::string& field_name(FieldId id) const { return names_[id]; }

 private:
  friend class Linker;
  std::vector<LinkedRule> rules_;
  std::vector<LinkedCorrelation> correlations_;
  std::map<std::string, FieldId, std::less<>> fields_;
  std::vector<std::string> names_;
};

}  // namespace picket::sigma
