// Tier "tracepoint" of process: execs with their argv, forks and ends from plain tracepoints, on kernels without BTF;
// what the kernel does not say there, procfs adds while it lives.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <time.h>

#include "process/tiers.h"
#include "process/tracepoint_programs.h"
#include "support/argv_hash.h"
#include "support/bpf_text.h"
#include "support/procfs.h"
#include "support/program_cache.h"
#include "tracepoint_event.h"

namespace picket::agent {
namespace {

constexpr std::size_t kDrainMax = 4096;
constexpr std::size_t kPendingMax = 64;
constexpr Duration kPendingFor = Duration::milliseconds(50);

// How far CLOCK_BOOTTIME is ahead of CLOCK_MONOTONIC: how long the device has slept.
std::uint64_t slept_ns() {
  timespec boot{}, awake{};
  clock_gettime(CLOCK_MONOTONIC, &awake);
  clock_gettime(CLOCK_BOOTTIME, &boot);
  const std::int64_t ns = (std::int64_t{boot.tv_sec} - awake.tv_sec) * 1'000'000'000 + boot.tv_nsec - awake.tv_nsec;
  return ns > 1'000'000 ? static_cast<std::uint64_t>(ns) : 0;  // less: the time between the two calls
}

class ProcessTracepoint final : public Source {
 public:
  ProcessTracepoint(const Environment& environment, std::unique_ptr<TracepointPrograms> programs)
      : environment_(environment), ring_(std::move(programs)), facts_(environment.settings.procfs) {}

  std::span<const int> fds() const override { return ring_->fds(); }
  Duration on_ready(int) override { return drain(); }
  Duration on_timer() override { return drain(); }

  Counters counters() const override {
    const KernelAccount kernel = ring_->account(delivered_ + unreadable_ + pending_.size());
    return {.seen = kernel.seen,
            .delivered = delivered_,
            .dropped_kernel = kernel.dropped,
            .dropped_user = unreadable_,
            .incomplete = incomplete_};
  }

 private:
  // An exec whose argv has not come yet. It comes at once, but for programs of 32 bits on a kernel of 64.
  struct Pending {
    picket_tracepoint_event event;
    std::string path;  // of a call its argv
  };

  Duration drain() {
    now_ = moment_of(environment_.clock);
    if (ring_->has_old_clock()) slept_ns_ = slept_ns();
    const std::size_t drained = ring_->drain(kDrainMax, [this](Bytes record) { take(record); });
    while (!pending_.empty() && (drained < kDrainMax || pending_.size() > kPendingMax) &&
           waited_long(pending_.front())) {
      tell(pending_.front(), nullptr, {});
      pending_.erase(pending_.begin());
    }
    const Duration pace = ring_->pace(drained, now_.monotonic);
    return pending_.empty() ? pace : std::min(pace, kPendingFor);
  }

  bool waited_long(const Pending& exec) const {
    return now_.monotonic - moment_from_boot(now_, exec.event.time_ns).monotonic >= kPendingFor;
  }

  void take(Bytes bytes) {
    picket_tracepoint_event event;
    if (bytes.size() < sizeof(event)) {
      ++unreadable_;
      return;
    }
    std::memcpy(&event, bytes.data(), sizeof(event));
    event.time_ns += slept_ns_;
    const auto rest = as_text(bytes.subspan(sizeof(event)));
    const auto text = rest.substr(0, std::min<std::size_t>(event.text_bytes, rest.size()));
    if (event.type == PICKET_TP_FORK || event.type == PICKET_TP_EXIT) return tell_other(event, text);
    const auto before =
        std::ranges::find_if(pending_, [&](const Pending& each) { return each.event.pid == event.pid; });
    if (event.type == PICKET_TP_CALL) {
      std::erase_if(calls_, [&](const Pending& each) { return each.event.tid == event.tid; });
      if (calls_.size() == kPendingMax) calls_.erase(calls_.begin());
      if (!(event.flags & PICKET_TP_LOST)) calls_.push_back({event, std::string(text)});
      return;
    }
    if (event.type == PICKET_TP_ARGV) {
      ring_->stop_calls();
      if (before == pending_.end()) return;  // its exec was refused by a full ring, and counted
      tell(*before, &event, text);
      pending_.erase(before);
      return;
    }
    if (before != pending_.end()) {  // the same process again: the argv of the first was refused
      tell(*before, nullptr, {});
      pending_.erase(before);
    }
    if (pending_.size() == kPendingMax) {
      tell(pending_.front(), nullptr, {});
      pending_.erase(pending_.begin());
    }
    const Pending exec{event, std::string(text.substr(0, text.find('\0')))};
    const auto call = std::ranges::find_if(calls_, [&](const Pending& each) { return each.event.tid == event.tid; });
    if (call != calls_.end()) {
      tell(exec, &call->event, call->path);
      calls_.erase(call);
    } else {
      pending_.push_back(exec);
    }
  }

  // What procfs shows is what was executed: else the process is gone, or runs something else already.
  static bool is_same(const ProcessRecord& record, const picket_tracepoint_event& with, std::string_view argv) {
    return record.argv == argv &&
           (with.flags & PICKET_TP_CUT ? record.argv_bytes >= with.argv_total : record.argv_bytes == with.argv_total);
  }

  void tell(const Pending& exec, const picket_tracepoint_event* with, std::string_view argv) {
    const picket_tracepoint_event& event = exec.event;
    ProcessRecord record{.time = moment_from_boot(now_, event.time_ns), .origin = {"process", "tracepoint", false}};
    const bool lives = facts_.read(event.pid);
    if (lives) {
      facts_.fill(record);
    } else {
      facts_.read_around(event.pid, event.ppid);
      facts_.fill_around(record);
    }
    record.pid = event.pid;
    if (event.ppid != 0) record.ppid = event.ppid;
    if (!record.credentials_known) {  // the effective user is its real one, unless the program is set-user-id
      record.uid = record.euid = event.uid;
      record.gid = event.gid;
      record.credentials_known = true;
    }
    if (with && !argv.empty() && !is_same(record, *with, argv)) {
      record.executable = {};
      record.executable_deleted = record.executable_memfd = false;
      record.argv = argv;
      record.argv_bytes = with->argv_total;
      record.argv_truncated = with->argv_total > argv.size() || (with->flags & PICKET_TP_CUT) != 0;
      record.argv_hash = argv_hash(argv);
      record.argv_hash_of_prefix = record.argv_truncated;
      record.argv_lost = false;
    }
    if (record.executable.empty()) record.executable = exec.path;
    if (record.argv.empty()) record.argv_lost = true;
    if (record.argv_lost || record.executable.empty()) ++incomplete_;
    if (environment_.settings.process_fork_exit) programs_.put(record.pid, 0, record.executable, record.argv);
    ++delivered_;
    environment_.sink.emit(record);
  }

  // A fork or an end: what ran is known from its exec, from its parent, or from procfs, else by its comm.
  void tell_other(const picket_tracepoint_event& event, std::string_view comm) {
    const auto open = std::ranges::find_if(pending_, [&](const Pending& each) { return each.event.pid == event.pid; });
    if (open != pending_.end()) {
      tell(*open, nullptr, {});
      pending_.erase(open);
    }
    ProcessRecord record{.time = moment_from_boot(now_, event.time_ns), .origin = {"process", "tracepoint", false}};
    record.kind = event.type == PICKET_TP_FORK ? ProcessRecord::Kind::fork : ProcessRecord::Kind::exit;
    record.pid = event.pid;
    record.ppid = event.ppid;
    record.uid = record.euid = event.uid;
    record.gid = event.gid;
    record.credentials_known = true;
    const ProgramCache::Program* program = nullptr;
    if (record.kind == ProcessRecord::Kind::exit) {
      record.exit_status = static_cast<std::int32_t>(event.argv_total);
      program = programs_.find(event.pid, 0);
    } else if (const auto* parent = programs_.find(event.ppid, 0)) {
      const ProgramCache::Program same = *parent;
      program = &programs_.put(event.pid, 0, same.executable, same.argv);
    } else {  // also: forgets a process that had the number before
      const bool lives = facts_.read_program(event.pid);
      program = &programs_.put(event.pid, 0, lives ? facts_.executable() : "", lives ? facts_.argv() : "");
    }
    if (program) {
      record.executable = program->executable;
      record.argv = program->argv;
    }
    if (record.executable.empty()) record.executable = comm.substr(0, comm.find('\0'));
    record.argv_bytes = record.argv.size();
    ++delivered_;
    environment_.sink.emit(record);
  }

  Environment environment_;
  std::unique_ptr<TracepointPrograms> ring_;
  ProcessFacts facts_;
  ProgramCache programs_;  // which program a process is, for its fork and its end
  Moment now_;
  std::vector<Pending> pending_;
  std::vector<Pending> calls_;  // what threads want to execute, with its argv; most of them do
  std::uint64_t slept_ns_ = 0;  // to be added to times of an old kernel
  std::uint64_t delivered_ = 0, unreadable_ = 0, incomplete_ = 0;
};

}  // namespace

Result<std::unique_ptr<Source>> open_process_tracepoint(const Environment& environment) {
  TRY(const std::uint32_t ring_bytes, checked_ring_bytes(environment.settings.process_ring_bytes));
  TRY(auto programs, TracepointPrograms::open(ring_bytes, environment.settings.process_fork_exit,
                                              environment.settings.process_old_kernel));
  return std::make_unique<ProcessTracepoint>(environment, std::move(programs));
}

}  // namespace picket::agent
