// Tier "ebpf" of process: BTF tracepoints; everything a record needs was read in the kernel at the moment of exec.
#include <algorithm>
#include <cstring>

#include "event.h"
#include "process/tiers.h"
#include "support/argv_hash.h"
#include "support/bpf_counts.h"
#include "support/bpf_ring.h"
#include "support/bpf_text.h"
#include "support/container_id.h"
#include "support/procfs.h"
#include "support/program_cache.h"

namespace picket::agent {
namespace {

constexpr std::size_t kDrainMax = 4096;
constexpr std::uint32_t kNoSession = 0xffffffff;

StdioFact stdio_of(const picket_stdio& raw) {
  StdioFact fact{.kind = StdioFact::Kind::none};
  if (raw.mode == 0) return fact;
  fact.inode = raw.inode;
  switch (raw.mode & 0170000) {
    case 0140000:
      fact.kind = StdioFact::Kind::socket;
      break;
    case 0010000:
      fact.kind = StdioFact::Kind::pipe;
      break;
    case 0100000:
      fact.kind = StdioFact::Kind::file;
      break;
    case 0020000: {
      const std::uint32_t major = raw.rdev >> 20;
      const bool terminal = major == 4 || major == 5 || (major >= 136 && major <= 143);
      fact.kind = terminal ? StdioFact::Kind::tty : StdioFact::Kind::other;
      break;
    }
    default:
      fact.kind = StdioFact::Kind::other;
  }
  if (fact.kind != StdioFact::Kind::socket) return fact;
  fact.family = static_cast<std::uint8_t>(raw.family);
  const auto port = static_cast<std::uint16_t>(__builtin_bswap16(raw.remote_port));
  if (port != 0) fact.remote = {address_of(raw.family, raw.remote), port};
  return fact;
}

std::string_view until_nul(std::string_view text) { return text.substr(0, text.find('\0')); }

class ProcessEbpf final : public Source {
 public:
  ProcessEbpf(const Environment& environment, const BpfCounts& counts, std::unique_ptr<BpfRing> ring)
      : sink_(environment.sink),
        clock_(environment.clock),
        remembers_(environment.settings.process_fork_exit),
        procfs_(environment.settings.procfs),
        ring_(std::move(ring)),
        counts_(counts),
        fd_(ring_->fd()) {}

  std::span<const int> fds() const override { return {&fd_, 1}; }
  Duration on_ready(int) override { return drain(); }
  Duration on_timer() override { return drain(); }

  Counters counters() const override {
    const KernelAccount kernel = ring_->account(PICKET_PROCESS_TYPES);
    return {.seen = kernel.seen,
            .delivered = delivered_,
            .dropped_kernel = kernel.dropped - std::min(kernel.dropped, recovered_),
            .dropped_user = unreadable_,
            .incomplete = incomplete_};
  }

 private:
  Duration drain() {
    now_ = moment_of(clock_);
    const std::size_t drained = ring_->drain(kDrainMax, [this](Bytes record) { take(record, 1, 0); });
    if (drained < kDrainMax && counts_.wait(now_.monotonic).us <= 0) take_counts();
    return std::min(ring_->pace(drained, now_.monotonic), counts_.wait(now_.monotonic));
  }

  // What the ring refused while we were slow.
  void take_counts() {
    counts_.take<picket_counted_exec_key, picket_counted_exec>(
        now_.monotonic, [this](const picket_counted_exec_key&, const picket_counted_exec& counted) {
          const std::size_t kept = std::min<std::size_t>(counted.bytes, sizeof(counted.record));
          recovered_ += counted.count;
          take(as_bytes({reinterpret_cast<const char*>(counted.record), kept}), counted.count, counted.last_ns);
        });
  }

  /// Cuts off from the end what is not there: records of the overload's table are kept as far as they fit.
  static void fit(picket_process_event& event, std::size_t bytes) {
    for (__u16* part : {&event.executable_bytes, &event.parent_bytes, &event.grandparent_bytes, &event.cwd_bytes,
                        &event.cgroup_bytes, &event.cgroup_v1_bytes, &event.tty_bytes, &event.argv_bytes}) {
      if (*part > bytes) {
        *part = static_cast<__u16>(bytes);
        if (part != &event.argv_bytes) event.flags |= PICKET_PATH_CUT;
      }
      bytes -= *part;
    }
  }

  /// `count` happenings that this was the first of; the last at `last_ns`.
  void take(Bytes bytes, std::uint64_t count, std::uint64_t last_ns) {
    picket_process_event event;
    if (bytes.size() < sizeof(event)) {
      unreadable_ += count;
      return;
    }
    std::memcpy(&event, bytes.data(), sizeof(event));
    const std::string_view tail = as_text(bytes.subspan(sizeof(event)));
    if (last_ns != 0) fit(event, tail.size());
    const std::size_t claimed = std::size_t{event.executable_bytes} + event.parent_bytes + event.grandparent_bytes +
                                event.cwd_bytes + event.cgroup_bytes + event.cgroup_v1_bytes + event.tty_bytes +
                                event.argv_bytes;
    if (claimed > tail.size() || event.type >= PICKET_PROCESS_TYPES) {
      unreadable_ += count;
      return;
    }
    ProcessRecord record{.time = moment_from_boot(now_, event.time_ns), .origin = {"process", "ebpf", false}};
    record.kind = static_cast<ProcessRecord::Kind>(event.type);
    record.count = count;
    if (last_ns > event.time_ns) record.spread = Duration{static_cast<std::int64_t>((last_ns - event.time_ns) / 1000)};
    record.pid = event.pid;
    record.ppid = event.ppid;
    record.uid = event.uid;
    record.euid = event.euid;
    record.gid = event.gid;
    record.credentials_known = true;
    record.start = Duration::microseconds(static_cast<std::int64_t>(event.start_ns / 1000));
    record.exit_status = event.exit_code;
    record.session = event.session == kNoSession ? 0 : event.session;
    if (record.kind == ProcessRecord::Kind::exec) {
      describe_exec(event, tail, record);
      if (remembers_) programs_.put(record.pid, event.start_ns, record.executable, record.argv);
    } else {
      describe_other(event, until_nul(tail.substr(0, event.executable_bytes)), record);
    }
    delivered_ += count;
    sink_.emit(record);
  }

  void describe_exec(const picket_process_event& event, std::string_view tail, ProcessRecord& record) {
    const auto part = [&](std::size_t n) {
      const auto out = tail.substr(0, n);
      tail.remove_prefix(n);
      return out;
    };
    record.executable = executable_.join(part(event.executable_bytes), event.flags & PICKET_EXE_DELETED);
    record.executable_deleted = event.flags & PICKET_EXE_DELETED;
    record.executable_memfd = event.flags & PICKET_EXE_NO_TREE && record.executable.starts_with("/memfd:");
    const auto parent = part(event.parent_bytes);
    record.parent_executable = event.flags & PICKET_PARENT_IS_COMM
                                   ? until_nul(parent)
                                   : parent_.join(parent, event.flags & PICKET_PARENT_DELETED);
    const auto grandparent = part(event.grandparent_bytes);
    if (event.flags & PICKET_GRANDPARENT_IS_PARENT) {
      record.grandparent_executable = record.parent_executable;
    } else if (!grandparent.empty()) {
      record.grandparent_executable =
          event.flags & PICKET_GRANDPARENT_IS_COMM ? until_nul(grandparent) : grandparent_.join(grandparent, false);
    }
    record.cwd = cwd_.join(part(event.cwd_bytes), false);
    const auto unified = part(event.cgroup_bytes), other = part(event.cgroup_v1_bytes);
    if (!unified.empty()) record.container = container_of_cgroup(cgroup_.join(unified, false));
    if (record.container.empty() && !other.empty()) record.container = container_of_cgroup(cgroup_.join(other, false));
    record.terminal = terminal_name(until_nul(part(event.tty_bytes)), terminal_);
    record.argv = part(event.argv_bytes);
    record.argv_bytes = event.argv_total;
    record.argv_truncated = event.argv_total > event.argv_bytes;
    record.argv_lost = event.flags & PICKET_ARGV_LOST;
    record.argv_hash_of_prefix = record.argv_truncated && !(event.flags & PICKET_ARGV_HASHED);
    record.argv_hash = event.flags & PICKET_ARGV_HASHED ? event.argv_hash : argv_hash(record.argv);
    for (std::size_t i = 0; i < record.stdio.size(); ++i) record.stdio[i] = stdio_of(event.stdio[i]);
    if (event.flags & (PICKET_ARGV_LOST | PICKET_PATH_CUT)) ++incomplete_;
  }

  // A fork or an end: what ran is known from its exec, or from a look at a child that still lives, else by its comm.
  void describe_other(const picket_process_event& event, std::string_view comm, ProcessRecord& record) {
    if (const auto* program = programs_.find(record.pid, event.start_ns)) {
      record.executable = program->executable;
      record.argv = program->argv;
    } else if (record.kind == ProcessRecord::Kind::fork && procfs_.read_program(record.pid)) {
      const auto& seen = programs_.put(record.pid, event.start_ns, procfs_.executable(), procfs_.argv());
      record.executable = seen.executable;
      record.argv = seen.argv;
    }
    if (record.executable.empty()) record.executable = comm;
    record.argv_bytes = record.argv.size();
  }

  RecordSink& sink_;
  const Clock& clock_;
  bool remembers_;  // which program a process is, for its fork and its end
  ProcessFacts procfs_;
  ProgramCache programs_;
  std::unique_ptr<BpfRing> ring_;
  BpfCounts counts_;
  int fd_;
  Moment now_;
  PathText executable_, parent_, grandparent_, cwd_, cgroup_;
  std::array<char, kTerminalBytesMax> terminal_;
  std::uint64_t delivered_ = 0, unreadable_ = 0, incomplete_ = 0;
  std::uint64_t recovered_ = 0;  // of what the ring refused: counted in the kernel, taken from there
};

}  // namespace

Result<std::unique_ptr<Source>> open_process_ebpf(const Environment& environment) {
  TRY(const std::uint32_t ring_bytes, checked_ring_bytes(environment.settings.process_ring_bytes));
  picket_bpf bpf{};
  if (const int status = picket_process_bpf_open(&bpf, ring_bytes, environment.settings.process_fork_exit);
      status < 0) {
    return bpf_failure(bpf.failed_step, status);
  }
  TRY(auto ring, BpfRing::create(bpf, picket_process_bpf_close));
  return std::make_unique<ProcessEbpf>(environment, BpfCounts(bpf), std::move(ring));
}

}  // namespace picket::agent
