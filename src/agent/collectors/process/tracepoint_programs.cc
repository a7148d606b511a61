#include "process/tracepoint_programs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <vector>

#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/core/file.h"
#include "support/bpf_ring.h"
#include "tracepoint_event.h"

struct picket_tp_use {
  unsigned instruction;
  unsigned map;
};
#include "picket_tracepoint.h"

namespace picket::agent {
namespace {

constexpr std::size_t kFormatBytesMax = 16384;
constexpr std::string_view kTraceFs[] = {"/sys/kernel/tracing/events/", "/sys/kernel/debug/tracing/events/"};

int sys_bpf(bpf_cmd command, bpf_attr& attr) {
  return static_cast<int>(syscall(__NR_bpf, command, &attr, sizeof(attr)));
}

// Where struct pt_regs has the user's stack pointer; it is read at every entry to the kernel, so it has not moved since
// these architectures are there.
struct Architecture {
  std::string_view machine;  // as uname(2) says: of the kernel, which may be wider than this program
  std::uint32_t stack_offset, word_bytes;
};
constexpr Architecture kArchitectures[] = {
    {"x86_64", 152, 8}, {"aarch64", 248, 8}, {"riscv64", 16, 8}, {"armv7l", 52, 4}, {"armv6l", 52, 4}};

constexpr std::size_t kProgramsMax = 10;
static_assert(kProgramsMax <= PICKET_BPF_PROGRAMS_MAX);

struct Attached {
  std::array<UniqueFd, PICKET_TP_MAPS> maps;
  std::array<UniqueFd, kProgramsMax> programs, events;
  picket_tracepoint_shared* shared = nullptr;
  std::size_t count = 0;

  Attached() = default;
  Attached(const Attached&) = delete;
  Attached& operator=(const Attached&) = delete;
  ~Attached() {
    if (shared) munmap(shared, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
  }
};

void close_programs(picket_bpf* bpf) {
  delete static_cast<Attached*>(bpf->skeleton);
  bpf->skeleton = nullptr;
}

Result<UniqueFd> make_map(bpf_map_type type, std::uint32_t key_bytes, std::uint32_t value_bytes, std::uint32_t entries,
                          std::uint32_t flags = 0) {
  bpf_attr attr{};
  attr.map_type = type;
  attr.key_size = key_bytes;
  attr.value_size = value_bytes;
  attr.max_entries = entries;
  attr.map_flags = flags;
  UniqueFd fd{sys_bpf(BPF_MAP_CREATE, attr)};
  if (!fd.valid()) return fail_errno("agent.tracepoint.map");
  return fd;
}

Result<> make_maps(Attached& out, std::uint32_t ring_bytes) {
  TRY(out.maps[PICKET_TP_MAP_RING], make_map(BPF_MAP_TYPE_RINGBUF, 0, 0, ring_bytes));
  TRY(out.maps[PICKET_TP_MAP_ACCOUNTS], make_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 16, PICKET_TP_TYPES));
  TRY(out.maps[PICKET_TP_MAP_SCRATCH], make_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, PICKET_TP_SCRATCH_BYTES, 1));
  TRY(out.maps[PICKET_TP_MAP_PARENTS], make_map(BPF_MAP_TYPE_LRU_HASH, 4, 4, PICKET_TP_PARENTS_MAX));
  TRY(out.maps[PICKET_TP_MAP_ENDS], make_map(BPF_MAP_TYPE_LRU_HASH, 4, 4, PICKET_TP_ENDS_MAX));
  TRY(out.maps[PICKET_TP_MAP_SHARED],
      make_map(BPF_MAP_TYPE_ARRAY, 4, sizeof(picket_tracepoint_shared), 1, BPF_F_MMAPABLE));
  void* shared = mmap(nullptr, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), PROT_READ | PROT_WRITE, MAP_SHARED,
                      out.maps[PICKET_TP_MAP_SHARED].get(), 0);
  if (shared == MAP_FAILED) return fail_errno("agent.tracepoint.map");
  out.shared = static_cast<picket_tracepoint_shared*>(shared);
  return {};
}

using Patches = std::array<std::uint32_t, PICKET_TP_PATCHES>;

// An instruction that loads 64 bits has its number in the upper halves of two words.
void set_number(std::uint64_t* words, std::uint64_t number) {
  words[0] = (words[0] & 0xffffffff) | number << 32;
  words[1] = (words[1] & 0xffffffff) | (number & 0xffffffff00000000);
}

Result<UniqueFd> load(std::span<const unsigned long long> program, std::span<const picket_tp_use> uses,
                      const Attached& attached, const Patches& patches) {
  constexpr std::uint64_t kLoad = 0x18, kMapReference = BPF_PSEUDO_MAP_FD << 12;
  std::vector<std::uint64_t> words(program.begin(), program.end());
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if ((words[i] & 0xff) != kLoad) continue;
    const std::uint64_t number = words[i] >> 32 | (words[i + 1] & 0xffffffff00000000);
    const std::uint64_t patch = number - PICKET_TP_PATCH;
    if (patch < patches.size()) set_number(&words[i], patches[static_cast<std::size_t>(patch)]);
  }
  for (const picket_tp_use& use : uses) {
    set_number(&words[use.instruction], static_cast<std::uint32_t>(attached.maps[use.map].get()));
    words[use.instruction] |= kMapReference;
  }
  bpf_attr attr{};
  attr.prog_type = BPF_PROG_TYPE_TRACEPOINT;
  attr.insns = reinterpret_cast<std::uintptr_t>(words.data());
  attr.insn_cnt = static_cast<std::uint32_t>(words.size());
  attr.license = reinterpret_cast<std::uintptr_t>("Dual BSD/GPL");
  UniqueFd fd{sys_bpf(BPF_PROG_LOAD, attr)};
  if (!fd.valid()) return fail_errno("agent.tracepoint.load");
  return fd;
}

Result<std::uint32_t> offset_of(const std::string& events, std::string_view tracepoint, std::string_view field) {
  TRY(const std::string format, read_file(events + std::string(tracepoint) + "/format", kFormatBytesMax));
  const auto found = tracepoint_field(format, field);
  if (!found) return fail(Errc::unsupported, "agent.tracepoint.format");
  return found->offset;
}

Result<> attach(Attached& out, const std::string& events, std::string_view tracepoint, UniqueFd program) {
  TRY(const std::string text, read_file(events + std::string(tracepoint) + "/id", 32));
  perf_event_attr attr{};
  attr.type = PERF_TYPE_TRACEPOINT;
  attr.size = sizeof(attr);
  attr.sample_period = 1;
  attr.wakeup_events = 1;
  if (std::from_chars(text.data(), text.data() + text.size(), attr.config).ec != std::errc{}) {
    return fail(Errc::unsupported, "agent.tracepoint.id");
  }
  // One event, on any CPU: the program then runs on all.
  UniqueFd event{static_cast<int>(syscall(__NR_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC))};
  if (!event.valid()) return fail_errno("agent.tracepoint.event");
  if (ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program.get()) != 0 ||
      ioctl(event.get(), PERF_EVENT_IOC_ENABLE, 0) != 0) {
    return fail_errno("agent.tracepoint.attach");
  }
  out.programs[out.count] = std::move(program);
  out.events[out.count] = std::move(event);
  ++out.count;
  return {};
}

// How processes end, and that they do.
Result<> attach_ends(Attached& out, const std::string& events, Patches& patches) {
  for (const std::string_view call : {"syscalls/sys_enter_exit_group", "syscalls/sys_enter_exit"}) {
    patches[PICKET_TP_LEADER_ONLY] = call.ends_with("exit");
    TRY(patches[PICKET_TP_AT_CODE], offset_of(events, call, "error_code"));
    TRY(auto ask, load(picket_tp_ask, picket_tp_ask_maps, out, patches));
    TRY_VOID(attach(out, events, call, std::move(ask)));
  }
  TRY(patches[PICKET_TP_AT_SIGNAL], offset_of(events, "signal/signal_generate", "sig"));
  TRY(patches[PICKET_TP_AT_TARGET], offset_of(events, "signal/signal_generate", "pid"));
  TRY(patches[PICKET_TP_AT_GENERATED], offset_of(events, "signal/signal_generate", "result"));
  TRY(auto signal, load(picket_tp_signal, picket_tp_signal_maps, out, patches));
  TRY_VOID(attach(out, events, "signal/signal_generate", std::move(signal)));
  TRY(auto exit, load(picket_tp_exit, picket_tp_exit_maps, out, patches));
  return attach(out, events, "sched/sched_process_exit", std::move(exit));
}

Result<> load_and_attach(Attached& out, const std::string& events, bool fork_exit) {
  utsname name{};
  uname(&name);
  const auto* architecture = std::ranges::find(kArchitectures, std::string_view(name.machine), &Architecture::machine);
  if (architecture == std::end(kArchitectures)) return fail(Errc::unsupported, "agent.tracepoint.architecture");
  Patches patches{};
  TRY(patches[PICKET_TP_AT_FILENAME], offset_of(events, "sched/sched_process_exec", "filename"));
  TRY(patches[PICKET_TP_AT_THREAD], offset_of(events, "sched/sched_process_exec", "old_pid"));
  TRY(patches[PICKET_TP_AT_CHILD], offset_of(events, "task/task_newtask", "pid"));
  TRY(patches[PICKET_TP_AT_CLONE], offset_of(events, "task/task_newtask", "clone_flags"));
  TRY(patches[PICKET_TP_AT_RESULT], offset_of(events, "syscalls/sys_exit_execve", "ret"));
  patches[PICKET_TP_WORD_BYTES] = architecture->word_bytes;
  patches[PICKET_TP_AT_STACK] = architecture->stack_offset;
  TRY(auto fork, load(picket_tp_fork, picket_tp_fork_maps, out, patches));
  TRY_VOID(attach(out, events, "task/task_newtask", std::move(fork)));
  for (const std::string_view call : {"syscalls/sys_exit_execve", "syscalls/sys_exit_execveat"}) {
    TRY(auto result, load(picket_tp_result, picket_tp_result_maps, out, patches));
    TRY_VOID(attach(out, events, call, std::move(result)));
  }
  for (const std::string_view call : {"syscalls/sys_enter_execve", "syscalls/sys_enter_execveat"}) {
    TRY(patches[PICKET_TP_AT_ARGV], offset_of(events, call, "argv"));
    TRY(auto enter, load(picket_tp_call, picket_tp_call_maps, out, patches));
    TRY_VOID(attach(out, events, call, std::move(enter)));
  }
  TRY(auto exec, load(picket_tp_exec, picket_tp_exec_maps, out, patches));
  TRY_VOID(attach(out, events, "sched/sched_process_exec", std::move(exec)));
  return fork_exit ? attach_ends(out, events, patches) : Result<>{};
}

}  // namespace

std::optional<TracepointField> tracepoint_field(std::string_view format, std::string_view name) {
  const auto number_after = [](std::string_view line, std::string_view key) -> std::optional<std::uint32_t> {
    const auto at = line.find(key);
    std::uint32_t value = 0;
    if (at == std::string_view::npos) return std::nullopt;
    line.remove_prefix(at + key.size());
    if (std::from_chars(line.data(), line.data() + line.size(), value).ec != std::errc{} || value > 0xffff) {
      return std::nullopt;
    }
    return value;
  };
  while (!format.empty()) {
    const auto line = format.substr(0, format.find('\n'));
    format.remove_prefix(std::min(line.size() + 1, format.size()));
    const auto begin = line.find("field:");
    const auto end = line.find(';');
    if (begin == std::string_view::npos || end == std::string_view::npos || end < begin) continue;
    auto field = line.substr(begin, end - begin);  // "field:__data_loc char[] filename"
    field = field.substr(field.find_last_of(" :") + 1);
    if (field != name) continue;
    const auto offset = number_after(line, "offset:"), bytes = number_after(line, "size:");
    if (!offset || !bytes) return std::nullopt;
    return TracepointField{*offset, *bytes};
  }
  return std::nullopt;
}

Result<TracepointPrograms> open_tracepoint_programs(std::uint32_t ring_bytes, bool fork_exit) {
  const auto* events = std::ranges::find_if(kTraceFs, [](std::string_view path) {
    return access((std::string(path) + "sched/sched_process_exec/id").c_str(), R_OK) == 0;
  });
  if (events == std::end(kTraceFs)) return fail(Errc::not_found, "agent.tracepoint.tracefs");
  auto attached = std::make_unique<Attached>();
  TRY_VOID(make_maps(*attached, ring_bytes));
  attached->shared->fork_exit = fork_exit;
  TRY_VOID(load_and_attach(*attached, std::string(*events), fork_exit));
  picket_bpf bpf{};
  bpf.ring_fd = attached->maps[PICKET_TP_MAP_RING].get();
  bpf.accounts_fd = attached->maps[PICKET_TP_MAP_ACCOUNTS].get();
  bpf.ring_bytes = ring_bytes;
  for (const UniqueFd& program : attached->programs) {
    if (program.valid()) bpf.program_fds[bpf.program_count++] = program.get();
  }
  bpf.waiting = &attached->shared->waiting;
  bpf.wake_bytes = reinterpret_cast<volatile __u64*>(&attached->shared->wake_bytes);
  picket_tracepoint_shared* shared = attached->shared;
  bpf.skeleton = attached.release();
  TRY(auto ring, BpfRing::create(bpf, close_programs));
  return TracepointPrograms{std::move(ring), shared};
}

}  // namespace picket::agent
