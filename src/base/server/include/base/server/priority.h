// Priority of threads whose work may wait.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

namespace picket {

/// Makes this thread, and the threads that it starts from now on, give way to all others of the process (nice 10). For
/// good: only root could take it back. On Linux a thread has a priority of its own.
inline void lower_priority() { static_cast<void>(::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), 10)); }

}  // namespace picket
