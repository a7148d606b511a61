// The part of a document that says what to look for.
#pragma once

#include "modifiers.h"
#include "sigma/rule.h"
#include "yaml_tree.h"

namespace picket::sigma {

/// One search identifier: a map (all of its lines), a list of maps (one of them), a list of texts (keywords). Throws
/// YamlFault.
Expression read_selection(std::string_view name, const YamlNode& node, const Placeholders& placeholders);

/// Selections and conditions of a rule; the conditions' names are checked. Throws YamlFault.
void read_detection(const YamlNode& detection, const Placeholders& placeholders, Rule& rule);

/// What a filter takes away: its condition over its selections. Throws YamlFault.
Expression read_excluded(const YamlNode& filter, const Placeholders& placeholders);

Correlation read_correlation(const YamlNode& document, Head head);

}  // namespace picket::sigma
