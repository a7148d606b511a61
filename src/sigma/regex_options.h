// Regular expressions of rules: RE2, in time linear in the text.
#pragma once

#include <re2/re2.h>

namespace picket::sigma {

inline constexpr std::size_t kRegexBytesMax = 8'192;
inline constexpr std::int64_t kRegexMemoryBytes = 2 * 1024 * 1024;  ///< Of one expression, its automaton included.

re2::RE2::Options regex_options();

}  // namespace picket::sigma
