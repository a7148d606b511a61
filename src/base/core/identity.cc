#include "base/core/identity.h"

#include "base/core/hash.h"

namespace picket {

std::uint16_t partition_of(const Identity& identity) {
  // A 0 byte between the parts: ("a", "bc") and ("ab", "c") are different senders.
  constexpr std::byte kSeparator[1] = {std::byte{0}};
  std::uint64_t hash = fnv1a64(as_bytes(identity.hub));
  hash = fnv1a64(as_bytes(identity.device_id), fnv1a64(kSeparator, hash));
  hash = fnv1a64(as_bytes(identity.module_id), fnv1a64(kSeparator, hash));
  return static_cast<std::uint16_t>((hash ^ hash >> 32) % kPartitions);
}

std::string display_name(const Identity& identity) {
  return identity.module_id.empty() ? identity.device_id : identity.device_id + "/" + identity.module_id;
}

}  // namespace picket
