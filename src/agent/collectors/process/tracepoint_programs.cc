#include "process/tracepoint_programs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "base/core/file.h"
#include "support/bare_bpf.h"
#include "support/bpf_ring.h"
#include "tracepoint_event.h"

// The tables need the types above.
#include "picket_tracepoint.h"

namespace picket::agent {
namespace {

constexpr std::size_t kFormatBytesMax = 16384;
constexpr std::string_view kTraceFs[] = {"/sys/kernel/tracing/events/", "/sys/kernel/debug/tracing/events/"};

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

Result<> make_maps(Attached& out, std::uint32_t ring_bytes) {
  TRY(out.maps[PICKET_TP_MAP_RING], make_bpf_map(BPF_MAP_TYPE_RINGBUF, 0, 0, ring_bytes));
  TRY(out.maps[PICKET_TP_MAP_ACCOUNTS], make_bpf_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 16, PICKET_TP_TYPES));
  TRY(out.maps[PICKET_TP_MAP_SCRATCH], make_bpf_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, PICKET_TP_SCRATCH_BYTES, 1));
  TRY(out.maps[PICKET_TP_MAP_PARENTS], make_bpf_map(BPF_MAP_TYPE_LRU_HASH, 4, 4, PICKET_TP_PARENTS_MAX));
  TRY(out.maps[PICKET_TP_MAP_ENDS], make_bpf_map(BPF_MAP_TYPE_LRU_HASH, 4, 4, PICKET_TP_ENDS_MAX));
  TRY(out.maps[PICKET_TP_MAP_SHARED],
      make_bpf_map(BPF_MAP_TYPE_ARRAY, 4, sizeof(picket_tracepoint_shared), 1, BPF_F_MMAPABLE));
  void* shared = mmap(nullptr, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), PROT_READ | PROT_WRITE, MAP_SHARED,
                      out.maps[PICKET_TP_MAP_SHARED].get(), 0);
  if (shared == MAP_FAILED) return fail_errno("agent.tracepoint.map");
  out.shared = static_cast<picket_tracepoint_shared*>(shared);
  return {};
}

using Patches = std::array<std::uint32_t, PICKET_TP_PATCHES>;

Result<UniqueFd> load(std::span<const unsigned long long> program, std::span<const picket_program_use> uses,
                      const Attached& attached, const Patches& patches) {
  return load_bare_program({program, uses}, BPF_PROG_TYPE_TRACEPOINT, attached.maps, PICKET_TP_PATCH, patches);
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
  if (std::from_chars(text.data(), text.data() + text.size(), attr.config).ec != std::errc{}) {
    return fail(Errc::unsupported, "agent.tracepoint.id");
  }
  TRY(auto event, attach_bare_program(attr, program));
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
  TRY(const KernelRegisters registers, kernel_registers());
  Patches patches{};
  TRY(patches[PICKET_TP_AT_FILENAME], offset_of(events, "sched/sched_process_exec", "filename"));
  TRY(patches[PICKET_TP_AT_THREAD], offset_of(events, "sched/sched_process_exec", "old_pid"));
  TRY(patches[PICKET_TP_AT_CHILD], offset_of(events, "task/task_newtask", "pid"));
  TRY(patches[PICKET_TP_AT_CLONE], offset_of(events, "task/task_newtask", "clone_flags"));
  TRY(patches[PICKET_TP_AT_RESULT], offset_of(events, "syscalls/sys_exit_execve", "ret"));
  patches[PICKET_TP_WORD_BYTES] = registers.word_bytes;
  patches[PICKET_TP_AT_STACK] = registers.stack;
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
