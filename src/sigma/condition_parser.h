// Conditions of rules: "selection and not 1 of filter_*" (Sigma specification 2.1, "Condition").
#pragma once

#include <string>
#include <string_view>

#include "sigma/rule.h"
#include "yaml_tree.h"

namespace picket::sigma {

inline constexpr std::size_t kConditionBytesMax = 8'192;
inline constexpr std::size_t kConditionDepthMax = 64;   ///< Brackets and negations inside one another.
inline constexpr std::size_t kConditionTermsMax = 512;  ///< Names in one condition.

inline constexpr std::size_t kResolvedTestsMax = 200'000;  ///< Tests of one rule, selections written out.

/// Throws YamlFault.
Condition parse_condition(std::string_view text, std::uint32_t line);

/// As text again: parse_condition(to_string(c)) is c.
std::string to_string(const Condition& condition);

/// Whether a search identifier belongs to "them" or to a pattern with `*`. Names that begin with `_` belong only to
/// patterns that begin with it.
bool in_group(std::string_view name, std::string_view pattern);

/// The condition over the rule's search identifiers. Throws YamlFault: a name that is none, a pattern that fits none.
Expression resolve(const Condition& condition, const std::vector<std::pair<std::string, Expression>>& selections,
                   std::uint32_t line);

}  // namespace picket::sigma
