// kill, suspend and resume: a signal to one process, never to another one that has got its number.
#pragma once

#include <cstdint>
#include <string>

#include "action.h"
#include "base/core/json_reader.h"

namespace picket::agent {

/// "kill", "suspend" or "resume" with {"pid": N, "startTicks": N?}: field 22 of /proc/PID/stat, with which a number
/// names one process for ever. Never process 1, a kernel thread or the agent itself. Sent through a pidfd that was
/// opened before the check, so the process that is checked is the one that gets it.
ActionResult signal_process(std::string_view action, const Json& arguments, const std::string& procfs = "/proc");

}  // namespace picket::agent
