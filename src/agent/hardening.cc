#include "agent/hardening.h"

#include <array>
#include <cerrno>

#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/core/file.h"
#include "write_protection.h"

#ifndef PR_SET_MDWE  // Linux 6.3
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif
namespace picket::agent {
namespace {

/// What collectors need at a start or restart, and response at any time.
constexpr unsigned kKept[] = {
    CAP_BPF,              // programs and maps of the ebpf tiers
    CAP_PERFMON,          // tracepoints with BTF
    CAP_NET_ADMIN,        // socket and filter dumps, proc connector, isolation
    CAP_NET_RAW,          // name look-ups on the wire
    CAP_AUDIT_READ,       // login records
    CAP_AUDIT_CONTROL,    // turning audit on
    CAP_DAC_READ_SEARCH,  // logs, package lists and files to be checked
    CAP_SYS_PTRACE,       // /proc/PID of others: exe, cwd, fd
    CAP_SYS_ADMIN,        // fanotify; all of BPF below kernel 5.8
    CAP_KILL,             // response: pidfd_send_signal
};

struct CapabilitySets {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
};

}  // namespace

Result<> drop_capabilities() {
  CapabilitySets sets;
  if (::syscall(SYS_capget, &sets.header, sets.data.data()) != 0) return fail_errno("agent.hardening.capabilities");
  std::array<std::uint32_t, 2> kept{};
  for (const unsigned capability : kKept) kept[capability / 32] |= 1U << (capability % 32);
  // The bounding set first: dropping from it needs CAP_SETPCAP, which goes next. EINVAL: past the kernel's last one.
  constexpr std::uint32_t kSetPcap = 1U << CAP_SETPCAP;
  if ((sets.data[0].effective & kSetPcap) != 0) {
    for (unsigned capability = 0; capability < 64; ++capability) {
      if ((kept[capability / 32] >> (capability % 32) & 1) != 0) continue;
      if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EINVAL) {
        return fail_errno("agent.hardening.bounding_set");
      }
    }
    constexpr unsigned long kBits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                                    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED;
    if (::prctl(PR_SET_SECUREBITS, kBits, 0, 0, 0) != 0) return fail_errno("agent.hardening.secure_bits");
  }
  for (std::size_t i = 0; i < kept.size(); ++i) {
    sets.data[i].permitted &= kept[i];
    sets.data[i].effective &= kept[i];
    sets.data[i].inheritable = 0;
  }
  if (::syscall(SYS_capset, &sets.header, sets.data.data()) != 0) return fail_errno("agent.hardening.capabilities");
  return {};
}

Result<> restrict_writing(std::span<const std::string> writable) {
  const Result<> mounts = mount_read_only(writable);
  if (mounts || (mounts.error().code != Errc::denied && mounts.error().code != Errc::unsupported)) return mounts;
  // As root Landlock would take more than it gives: who a process is could no longer be read from /proc.
  if (::geteuid() == 0) return mounts;
  return restrict_by_landlock(writable);
}

std::vector<HardeningPart> harden(const HardeningSettings& settings, std::span<const std::string> writable) {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0);  // older kernels say EINVAL; nothing depends on it

  std::vector<HardeningPart> parts;
  const auto apply = [&parts](std::string_view name, std::string_view protects, bool enabled, auto&& enforce) {
    HardeningPart& part = parts.emplace_back(HardeningPart{name, protects, enabled, {}});
    if (!enabled) return;
    if (const Result<> done = enforce(); !done) part.problem = describe(done.error());
  };
  apply("filesystem", "only the agent's own directories can be written", settings.filesystem,
        [&] { return restrict_writing(writable); });
  apply("capabilities", "only what collectors and response need is left of root", settings.capabilities,
        drop_capabilities);
  // Last: it takes away what the others need.
  apply("system_calls", "no program can be started", settings.system_calls, filter_system_calls);
  return parts;
}

}  // namespace picket::agent
