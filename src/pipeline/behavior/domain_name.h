// Reading names of the DNS.
#pragma once

#include <string>
#include <string_view>

namespace picket::pipeline {

/// The part of a name that somebody registered: the last two labels, or three below suffixes such as co.uk, where the
/// last but one is short and general. No list of public suffixes: for counting, a suffix too short merges names of
/// several owners, which is what a tunnel's domain never gains from.
std::string_view registered_domain(std::string_view name);

/// Mean log2 probability of the letter pairs of a label under everyday English, per pair; 0 for labels shorter than 4.
/// Lower is stranger: words lie above -5, random letters below -6.
double pair_likelihood(std::string_view label);

}  // namespace picket::pipeline
