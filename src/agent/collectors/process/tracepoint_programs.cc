#include "process/tracepoint_programs.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "base/core/file.h"
#include "process/tracepoint_format.h"
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

constexpr std::uint32_t kPerfBytesMin = 32 << 10;  // the longest record has room three times
constexpr std::uint32_t kPerfCpusMax = 4096;       // entries of the array; more than possible_cpus()

}  // namespace

struct AttachedTracepoints {
  std::array<UniqueFd, PICKET_TP_MAPS> maps;
  std::array<UniqueFd, kProgramsMax> programs, events;
  std::size_t count = 0;
  bool perf = false;                           // as on kernels before 5.8
  picket_tracepoint_shared* shared = nullptr;  // the map's, or, where that cannot be mapped, `own`
  picket_tracepoint_shared own{};

  AttachedTracepoints() = default;
  AttachedTracepoints(const AttachedTracepoints&) = delete;
  AttachedTracepoints& operator=(const AttachedTracepoints&) = delete;
  ~AttachedTracepoints() {
    if (shared && shared != &own) munmap(shared, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
  }

  /// After a change of `shared`.
  Result<> publish() {
    if (shared != &own) return {};
    const std::uint32_t zero = 0;
    return update_bpf_map(maps[PICKET_TP_MAP_SHARED], &zero, &own);
  }
};

namespace {

using Attached = AttachedTracepoints;

Result<> make_shared_map(Attached& out) {
  TRY(out.maps[PICKET_TP_MAP_SHARED], make_bpf_map(BPF_MAP_TYPE_ARRAY, 4, sizeof(picket_tracepoint_shared), 1,
                                                   out.perf ? 0 : std::uint32_t{BPF_F_MMAPABLE}));
  out.shared = &out.own;
  if (out.perf) return {};
  void* shared = mmap(nullptr, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), PROT_READ | PROT_WRITE, MAP_SHARED,
                      out.maps[PICKET_TP_MAP_SHARED].get(), 0);
  if (shared == MAP_FAILED) return fail_errno("agent.tracepoint.map");
  out.shared = static_cast<picket_tracepoint_shared*>(shared);
  return {};
}

Result<> make_maps(Attached& out, std::uint32_t ring_bytes, bool old_kernel) {
  auto ring = make_bpf_map(BPF_MAP_TYPE_RINGBUF, 0, 0, ring_bytes);
  out.perf = old_kernel || !ring;
  if (out.perf) ring = make_bpf_map(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, std::min(possible_cpus(), kPerfCpusMax));
  if (!ring) return std::unexpected(ring.error());
  out.maps[PICKET_TP_MAP_RING] = *std::move(ring);
  TRY(out.maps[PICKET_TP_MAP_ACCOUNTS], make_bpf_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 16, PICKET_TP_TYPES));
  TRY(out.maps[PICKET_TP_MAP_SCRATCH], make_bpf_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, PICKET_TP_SCRATCH_BYTES, 1));
  TRY(out.maps[PICKET_TP_MAP_PARENTS], make_bpf_map(BPF_MAP_TYPE_LRU_HASH, 4, 4, PICKET_TP_PARENTS_MAX));
  TRY(out.maps[PICKET_TP_MAP_ENDS], make_bpf_map(BPF_MAP_TYPE_LRU_HASH, 4, 4, PICKET_TP_ENDS_MAX));
  return make_shared_map(out);
}

using Patches = std::array<std::uint32_t, PICKET_TP_PATCHES>;

Result<UniqueFd> load(std::span<const unsigned long long> program, std::span<const picket_program_use> uses,
                      const Attached& attached, const Patches& patches) {
  return load_bare_program({program, uses}, BPF_PROG_TYPE_TRACEPOINT, attached.maps, PICKET_TP_PATCH, patches,
                           attached.perf ? BpfHelpers::before_5_8 : BpfHelpers::modern);
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
  patches[PICKET_TP_PERF_BUFFER] = out.perf;
  TRY(auto fork, load(picket_tp_fork, picket_tp_fork_maps, out, patches));
  TRY_VOID(attach(out, events, "task/task_newtask", std::move(fork)));
  for (const std::string_view call : {"syscalls/sys_exit_execve", "syscalls/sys_exit_execveat"}) {
    TRY(auto result, load(picket_tp_result, picket_tp_result_maps, out, patches));
    TRY_VOID(attach(out, events, call, std::move(result)));
  }
  for (const std::string_view call : {"syscalls/sys_enter_execve", "syscalls/sys_enter_execveat"}) {
    TRY(patches[PICKET_TP_AT_ARGV], offset_of(events, call, "argv"));
    auto enter = load(picket_tp_call, picket_tp_call_maps, out, patches);
    if (!enter && out.perf) break;  // kernels before 5.3 take no loop; they hide no registers either, so ARGV comes
    if (!enter) return std::unexpected(enter.error());
    TRY_VOID(attach(out, events, call, *std::move(enter)));
  }
  TRY(auto exec, load(picket_tp_exec, picket_tp_exec_maps, out, patches));
  TRY_VOID(attach(out, events, "sched/sched_process_exec", std::move(exec)));
  return fork_exit ? attach_ends(out, events, patches) : Result<>{};
}

}  // namespace

TracepointPrograms::TracepointPrograms(std::unique_ptr<AttachedTracepoints> attached)
    : attached_(std::move(attached)), ring_fd_(attached_->maps[PICKET_TP_MAP_RING].get()) {}
TracepointPrograms::~TracepointPrograms() = default;

Result<std::unique_ptr<TracepointPrograms>> TracepointPrograms::open(std::uint32_t ring_bytes, bool fork_exit,
                                                                     bool old_kernel) {
  const auto* events = std::ranges::find_if(kTraceFs, [](std::string_view path) {
    return access((std::string(path) + "sched/sched_process_exec/id").c_str(), R_OK) == 0;
  });
  if (events == std::end(kTraceFs)) return fail(Errc::not_found, "agent.tracepoint.tracefs");
  auto attached = std::make_unique<Attached>();
  TRY_VOID(make_maps(*attached, ring_bytes, old_kernel));
  attached->shared->fork_exit = fork_exit;
  TRY_VOID(attached->publish());
  std::unique_ptr<TracepointPrograms> out{new TracepointPrograms(std::move(attached))};
  if (out->attached_->perf) TRY_VOID(out->open_reader(ring_bytes));  // what comes before there is a reader is lost
  TRY_VOID(load_and_attach(*out->attached_, std::string(*events), fork_exit));
  if (!out->attached_->perf) TRY_VOID(out->open_reader(ring_bytes));
  return out;
}

Result<> TracepointPrograms::open_reader(std::uint32_t ring_bytes) {
  Attached& attached = *attached_;
  if (attached.perf) {
    const std::uint32_t share = std::bit_floor(ring_bytes / std::max(1U, possible_cpus()));
    TRY(perf_, PerfRings::create(attached.maps[PICKET_TP_MAP_RING], std::max(share, kPerfBytesMin)));
    return {};
  }
  picket_bpf bpf{};
  bpf.ring_fd = ring_fd_;
  bpf.accounts_fd = attached.maps[PICKET_TP_MAP_ACCOUNTS].get();
  bpf.ring_bytes = ring_bytes;
  for (const UniqueFd& program : attached.programs) {
    if (program.valid()) bpf.program_fds[bpf.program_count++] = program.get();
  }
  bpf.waiting = &attached.shared->waiting;
  bpf.wake_bytes = reinterpret_cast<volatile __u64*>(&attached.shared->wake_bytes);
  TRY(ring_, BpfRing::create(bpf, [](picket_bpf*) {}));  // maps and programs are ours
  return {};
}

std::span<const int> TracepointPrograms::fds() const {
  return perf_ ? perf_->fds() : std::span<const int>(&ring_fd_, 1);
}

KernelAccount TracepointPrograms::account(std::uint64_t delivered) const {
  if (!perf_) return ring_->account(PICKET_TP_HAPPENINGS);
  const int accounts = attached_->maps[PICKET_TP_MAP_ACCOUNTS].get();
  KernelAccount out = read_accounts(accounts, PICKET_TP_HAPPENINGS);
  if (perf_->lost() > read_accounts(accounts, PICKET_TP_TYPES).dropped && out.seen > delivered) {
    out.dropped = std::max(out.dropped, out.seen - delivered);
  }
  return out;
}

void TracepointPrograms::stop_calls() {
  if (attached_->shared->no_calls != 0) return;
  attached_->shared->no_calls = 1;
  (void)attached_->publish();
}

}  // namespace picket::agent
