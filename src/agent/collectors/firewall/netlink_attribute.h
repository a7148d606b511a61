// Attributes of netlink messages: type, length, value, padded to four bytes (include/uapi/linux/netlink.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include <linux/netlink.h>

#include "base/core/bytes.h"
#include "base/core/cursor.h"

namespace picket::agent {

/// Calls `each(type, value)` for every attribute; what is cut off or shorter than its head ends the walk. Flags of the
/// type (nested, byte order) are taken off.
template <class Each>
void for_each_attribute(Bytes in, Each each) {
  while (in.size() >= sizeof(nlattr)) {
    std::uint16_t length = 0, type = 0;
    std::memcpy(&length, in.data(), 2);
    std::memcpy(&type, in.data() + 2, 2);
    if (length < sizeof(nlattr) || length > in.size()) return;
    each(static_cast<std::uint16_t>(type & NLA_TYPE_MASK), in.subspan(sizeof(nlattr), length - sizeof(nlattr)));
    in = in.subspan(std::min<std::size_t>(NLA_ALIGN(std::size_t{length}), in.size()));
  }
}

/// Value of the first attribute of `type`; empty: not there.
inline Bytes attribute(Bytes in, std::uint16_t type) {
  Bytes out;
  for_each_attribute(in, [&](std::uint16_t each, Bytes value) {
    if (each == type && out.data() == nullptr) out = value;
  });
  return out;
}
/// A number in network order; `otherwise` when it is not there or not of four (eight) bytes.
inline std::uint32_t attribute_u32(Bytes in, std::uint16_t type, std::uint32_t otherwise) {
  return Cursor{attribute(in, type)}.be<std::uint32_t>().value_or(otherwise);
}
inline std::uint64_t attribute_u64(Bytes in, std::uint16_t type, std::uint64_t otherwise) {
  return Cursor{attribute(in, type)}.be<std::uint64_t>().value_or(otherwise);
}

}  // namespace picket::agent
