// Patterns of STIX 2.1 (OASIS, part 9), as far as one event of a device can show that they hold.
//
// Read whole: comparisons with all operators, AND, OR, parentheses, observation expressions with AND, OR, FOLLOWEDBY
// and qualifiers. Turned into observables: alternatives of single things (an address, a network, an endpoint, a name, a
// URL, a hash). What takes more than that is refused, by name.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "intelligence/observable.h"

namespace picket::intelligence {

inline constexpr std::size_t kPatternBytesMax = 1U << 20;
inline constexpr std::size_t kPatternDepthMax = 64;
inline constexpr std::size_t kPatternTestsMax = 20'000;

/// Why a pattern is of no use, for people: "NOT cannot be shown by one event".
struct PatternFault {
  std::size_t offset = 0;  ///< Byte of the pattern.
  bool malformed = false;  ///< It is no pattern at all; otherwise it asks for more than we can show.
  std::string text;
};

/// Any of what it returns is a sighting; at least one.
std::expected<std::vector<Observable>, PatternFault> read_pattern(std::string_view pattern);

}  // namespace picket::intelligence
