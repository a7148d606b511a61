// std::ranges::contains, which libstdc++ 12 has not.
#pragma once

#include <algorithm>
#include <ranges>

namespace picket::kql {

template <std::ranges::input_range Range, class Value>
constexpr bool contains(const Range& range, const Value& value) {
  return std::ranges::find(range, value) != std::ranges::end(range);
}

}  // namespace picket::kql
