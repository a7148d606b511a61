// Where programs are attached that see all sockets.
#pragma once

#include <fcntl.h>

#include "base/core/file.h"

namespace picket::agent {

/// The root of the cgroup2 tree: mounted alone, or as "unified" in the hybrid layout. Invalid: neither.
inline UniqueFd open_cgroup_root() {
  UniqueFd fd{::open("/sys/fs/cgroup/unified", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd.valid()) fd.reset(::open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd;
}

}  // namespace picket::agent
