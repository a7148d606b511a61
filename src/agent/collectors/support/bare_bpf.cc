#include "support/bare_bpf.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace picket::agent {
namespace {

constexpr KernelRegisters kRegisters[] = {
    {"x86_64", 8, 152, 112, 88, 80}, {"aarch64", 8, 248, 0, 24, 0}, {"riscv64", 8, 16, 80, 104, 80},
    {"armv7l", 4, 52, 0, 12, 0},     {"armv6l", 4, 52, 0, 12, 0},
};

int sys_bpf(bpf_cmd command, bpf_attr& attr) {
  return static_cast<int>(syscall(__NR_bpf, command, &attr, sizeof(attr)));
}

// An instruction that loads 64 bits has its number in the upper halves of two words.
std::uint64_t number_of(const std::uint64_t* words) { return words[0] >> 32 | (words[1] & 0xffffffff00000000); }
void set_number(std::uint64_t* words, std::uint64_t number) {
  words[0] = (words[0] & 0xffffffff) | number << 32;
  words[1] = (words[1] & 0xffffffff) | (number & 0xffffffff00000000);
}

void use_old_helpers(std::span<std::uint64_t> words) {
  struct Change {
    bpf_func_id from, to;
  };
  constexpr Change kChanges[] = {
      {BPF_FUNC_probe_read_kernel, BPF_FUNC_probe_read},
      {BPF_FUNC_probe_read_user, BPF_FUNC_probe_read},
      {BPF_FUNC_probe_read_kernel_str, BPF_FUNC_probe_read_str},
      {BPF_FUNC_probe_read_user_str, BPF_FUNC_probe_read_str},
      {BPF_FUNC_ktime_get_boot_ns, BPF_FUNC_ktime_get_ns},
  };
  constexpr std::uint64_t kCall = 0x85, kLoad = 0x18;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if ((words[i] & 0xff) == kLoad) ++i;  // its second half is no instruction
    if ((words[i] & 0xffff) != kCall) continue;
    for (const Change& change : kChanges) {
      if (words[i] >> 32 != change.from) continue;
      words[i] = kCall | std::uint64_t{change.to} << 32;
      break;
    }
  }
}

}  // namespace

Result<KernelRegisters> kernel_registers() {
  utsname name{};
  uname(&name);
  const auto* found = std::ranges::find_if(
      kRegisters, [&](const KernelRegisters& each) { return std::string_view(each.machine) == name.machine; });
  if (found == std::end(kRegisters)) return fail(Errc::unsupported, "agent.bpf.architecture");
  return *found;
}

Result<UniqueFd> make_bpf_map(bpf_map_type type, std::uint32_t key_bytes, std::uint32_t value_bytes,
                              std::uint32_t entries, std::uint32_t flags) {
  bpf_attr attr{};
  attr.map_type = type;
  attr.key_size = key_bytes;
  attr.value_size = value_bytes;
  attr.max_entries = entries;
  attr.map_flags = flags;
  UniqueFd fd{sys_bpf(BPF_MAP_CREATE, attr)};
  if (!fd.valid()) return fail_errno("agent.bpf.map");
  return fd;
}

Result<> update_bpf_map(const UniqueFd& map, const void* key, const void* value) {
  bpf_attr attr{};
  attr.map_fd = static_cast<std::uint32_t>(map.get());
  attr.key = reinterpret_cast<std::uintptr_t>(key);
  attr.value = reinterpret_cast<std::uintptr_t>(value);
  if (sys_bpf(BPF_MAP_UPDATE_ELEM, attr) != 0) return fail_errno("agent.bpf.map.update");
  return {};
}

Result<UniqueFd> load_bare_program(const BareProgram& program, bpf_prog_type type, std::span<const UniqueFd> maps,
                                   std::uint64_t patch_base, std::span<const std::uint32_t> patches,
                                   BpfHelpers helpers) {
  constexpr std::uint64_t kLoad = 0x18, kMapReference = BPF_PSEUDO_MAP_FD << 12;
  std::vector<std::uint64_t> words(program.instructions.begin(), program.instructions.end());
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if ((words[i] & 0xff) != kLoad) continue;
    const std::uint64_t patch = number_of(&words[i]) - patch_base;
    if (patch < patches.size()) set_number(&words[i], patches[static_cast<std::size_t>(patch)]);
    ++i;
  }
  for (const picket_program_use& use : program.uses) {
    set_number(&words[use.instruction], static_cast<std::uint32_t>(maps[use.map].get()));
    words[use.instruction] |= kMapReference;
  }
  if (helpers == BpfHelpers::before_5_8) use_old_helpers(words);
  bpf_attr attr{};
  attr.prog_type = type;
  attr.insns = reinterpret_cast<std::uintptr_t>(words.data());
  attr.insn_cnt = static_cast<std::uint32_t>(words.size());
  attr.license = reinterpret_cast<std::uintptr_t>("Dual BSD/GPL");
  UniqueFd fd{sys_bpf(BPF_PROG_LOAD, attr)};
  if (!fd.valid()) return fail_errno("agent.bpf.load");
  return fd;
}

Result<UniqueFd> attach_bare_program(perf_event_attr event, const UniqueFd& program) {
  event.size = sizeof(event);
  event.sample_period = 1;
  event.wakeup_events = 1;
  // One event, on any CPU: the program then runs on all.
  UniqueFd fd{static_cast<int>(syscall(__NR_perf_event_open, &event, -1, 0, -1, PERF_FLAG_FD_CLOEXEC))};
  if (!fd.valid()) return fail_errno("agent.bpf.event");
  if (ioctl(fd.get(), PERF_EVENT_IOC_SET_BPF, program.get()) != 0 || ioctl(fd.get(), PERF_EVENT_IOC_ENABLE, 0) != 0) {
    return fail_errno("agent.bpf.attach");
  }
  return fd;
}

}  // namespace picket::agent
