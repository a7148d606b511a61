// Nothing but a few directories can be written: two ways, the first for root.
#pragma once

#include <span>
#include <string>

#include "base/core/result.h"

namespace picket::agent {

/// A mount namespace of the process' own, in which every mount is read-only but those of `writable`; what is mounted
/// later by others is seen too. Kernel 5.12, CAP_SYS_ADMIN. Errors: unsupported, denied or io "agent.hardening.mounts",
/// io "agent.hardening.writable" for a directory that is not there.
Result<> mount_read_only(std::span<const std::string> writable);

/// Landlock (kernel 5.13): `writable` and devices; needs no privilege. A process in such a domain may look into no
/// process outside it (links of /proc/PID), so it is for agents that may not do that anyway. Errors: unsupported,
/// io "agent.hardening.landlock", "agent.hardening.writable".
Result<> restrict_by_landlock(std::span<const std::string> writable);

}  // namespace picket::agent
