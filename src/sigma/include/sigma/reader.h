// From the bytes of a file to rules, correlations and filters.
#pragma once

#include <string>
#include <string_view>

#include "sigma/complaint.h"
#include "sigma/processing.h"
#include "sigma/rule.h"

namespace picket::sigma {

/// Adds the documents of a YAML file to `out`. Each document stands for itself: one that cannot be used is named in
/// `complaints` and the others are taken. `processing` may be nullptr. Returns how many documents were taken.
///
/// The bytes are hostile: size, depth, number of nodes, aliases, variants and regular expressions have bounds, and what
/// Sigma 2.1 does not have is refused by name.
std::size_t read_documents(const std::string& file, std::string_view yaml, const Processing* processing, Documents& out,
                           Complaints& complaints);

}  // namespace picket::sigma
