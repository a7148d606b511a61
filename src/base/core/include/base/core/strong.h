// Distinct types for numbers and strings that must not be mixed up.
#pragma once

#include <compare>
#include <functional>

namespace picket {

/// using SiteId = Strong<struct SiteIdTag, std::uint64_t>;
template <class Tag, class Rep>
struct Strong {
  Rep value{};
  friend auto operator<=>(const Strong&, const Strong&) = default;
  friend bool operator==(const Strong&, const Strong&) = default;
};

}  // namespace picket

template <class Tag, class Rep>
struct std::hash<picket::Strong<Tag, Rep>> {
  std::size_t operator()(const picket::Strong<Tag, Rep>& id) const { return std::hash<Rep>{}(id.value); }
};
