// One line of a selection: "field|modifier|modifier: values" (Sigma specification 2.1, modifiers appendix).
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sigma/rule.h"
#include "yaml_tree.h"

namespace picket::sigma {

inline constexpr std::size_t kItemTestsMax = 20'000;  ///< Variants of all values of one line.

/// The values of a placeholder; nullptr: there is none of that name.
using Placeholders = std::function<const std::vector<std::string>*(std::string_view name)>;

/// Throws YamlFault: an unknown modifier, modifiers that do not go together, a value that is not what they ask for.
Expression read_item(std::string_view key, const YamlNode& value, const Placeholders& placeholders);

/// Entries of a list without field: texts that some value of the event contains.
Expression read_keywords(const YamlNode& list, const Placeholders& placeholders);

}  // namespace picket::sigma
