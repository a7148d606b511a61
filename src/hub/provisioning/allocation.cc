#include "allocation.h"

#include <algorithm>

#include "base/core/hash.h"

namespace picket::hub {

const std::string& hashed_hub(std::span<const std::string> hubs, std::string_view registration_id) {
  const auto weight = [registration_id](const std::string& hub) {
    // The last step spreads: FNV of short texts that differ in the end hardly differs in front.
    const auto hash = fnv1a64(as_bytes(registration_id), fnv1a64(as_bytes(hub)));
    return std::pair(siphash24({hash, ~hash}, as_bytes(registration_id)), std::string_view(hub));
  };
  return *std::ranges::max_element(hubs, {}, weight);
}

}  // namespace picket::hub
