// What inotify(7) tells, one event after the other.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/core/bytes.h"

namespace picket::agent {

struct InotifyEvent {
  std::int32_t watch = -1;
  std::uint32_t mask = 0;
  std::uint32_t cookie = 0;
  std::string_view name;  ///< Empty: the watched folder itself.
};

/// Takes one event from the front of `rest`. False: nothing whole is there.
bool next_inotify(Bytes& rest, InotifyEvent& event);

}  // namespace picket::agent
