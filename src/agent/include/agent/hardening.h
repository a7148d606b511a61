// What the agent gives away once it runs: capabilities, system calls and the right to write (spec/endpoint.md, 8.3).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace picket::agent {

/// Each part can be turned off, for a device whose kernel or library needs what is taken away.
struct HardeningSettings {
  bool capabilities = true;
  bool filesystem = true;
  bool system_calls = true;
};

/// What came of one part; `problem` is empty when it is in force.
struct HardeningPart {
  std::string_view name;
  std::string_view protects;  ///< For people.
  bool enabled = true;
  std::string problem;
};

/// Takes effect for the whole process and for ever. Called once, by the only thread, after the collectors have started;
/// they may start again later. A part that this kernel lacks is reported, never an error.
///   capabilities  of root only those that collectors and response need stay, also for nothing else the process could
///                 become: bounding set, no new privileges, locked secure bits
///   filesystem    everything may be read, only `writable` directories and devices be written: a mount namespace (root,
///                 kernel 5.12) or Landlock (others, kernel 5.13)
///   system calls  seccomp: starting programs, tracing, loading modules and mounting end the process, everything that
///                 the agent has no use for fails with EPERM
/// Also: no core dump, not traceable by its own user, no memory that is writable and then executable (kernel 6.3).
std::vector<HardeningPart> harden(const HardeningSettings& settings, std::span<const std::string> writable);

/// The parts by themselves, for harden() and for tests. Errors: unsupported (this kernel lacks it), io.
Result<> drop_capabilities();
Result<> restrict_writing(std::span<const std::string> writable);
Result<> filter_system_calls();

}  // namespace picket::agent
