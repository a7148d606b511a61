// Tier "procfs" of process: looks at the process table now and then. Needs no privilege; misses what is short.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "base/core/hash.h"
#include "process/tiers.h"
#include "support/procfs.h"

namespace picket::agent {
namespace {

constexpr std::size_t kProcessesMax = 8192;

// One process as last seen. `program` tells an exec in place: same pid, same start, other argv or file.
struct Known {
  std::uint32_t pid = 0;
  std::uint32_t ppid = 0;
  std::int64_t start_us = 0;
  std::uint64_t program = 0;
};

class ProcessProcfs final : public Source {
 public:
  explicit ProcessProcfs(const Environment& environment)
      : environment_(environment),
        facts_(environment.settings.procfs),
        interval_(environment.settings.procfs_poll_min),
        pids_(kProcessesMax) {
    poll(false);  // what runs already is not news
  }

  std::span<const int> fds() const override { return {}; }
  Duration on_ready(int) override { return interval_; }
  Counters counters() const override { return counters_; }

  Duration on_timer() override {
    const auto now = environment_.clock.monotonic();
    if (now < due_) return due_ - now;
    const bool news = poll(true);
    const auto& settings = environment_.settings;
    // Quiet: look less often. News: as often as allowed.
    interval_ = news ? settings.procfs_poll_min : std::min(Duration{interval_.us * 3 / 2}, settings.procfs_poll_max);
    due_ = now + interval_;
    return interval_;
  }

 private:
  bool poll(bool report) {
    const std::size_t count = list_processes(environment_.settings.procfs, pids_);
    if (count > pids_.size()) {
      counters_.seen += count - pids_.size();
      counters_.dropped_user += count - pids_.size();
    }
    pids_size_ = std::min(count, pids_.size());
    std::sort(pids_.begin(), pids_.begin() + static_cast<std::ptrdiff_t>(pids_size_));
    next_.clear();
    bool news = false;
    for (std::size_t i = 0; i < pids_size_; ++i) news |= look_at(pids_[i], report);
    known_.swap(next_);
    return news;
  }

  const Known* find(std::uint32_t pid) const {
    const auto at =
        std::lower_bound(known_.begin(), known_.end(), pid, [](const Known& k, auto p) { return k.pid < p; });
    return at != known_.end() && at->pid == pid ? &*at : nullptr;
  }

  // True: it was news.
  bool look_at(std::uint32_t pid, bool report) {
    if (!facts_.read(pid)) return false;
    ProcessRecord record{.time = moment_of(environment_.clock), .origin = {"process", "procfs", true}};
    facts_.fill(record);
    if (record.ppid == 2 || pid == 2) return false;  // kernel threads run no program
    record.pid = pid;
    const Known now{pid, record.ppid, record.start.us,
                    fnv1a64(as_bytes(record.executable), fnv1a64(as_bytes(record.argv)))};
    next_.push_back(now);
    const Known* before = find(pid);
    const bool same_process = before && before->start_us == now.start_us;
    if (!report || (same_process && before->program == now.program)) return false;
    const Known* parent = find(record.ppid);
    // A new process that runs what its parent runs has only forked so far.
    const bool forked = !same_process && parent && parent->program == now.program;
    if (forked && !environment_.settings.process_fork_exit) return true;
    record.kind = forked ? ProcessRecord::Kind::fork : ProcessRecord::Kind::exec;
    if (record.argv_lost || record.executable.empty()) ++counters_.incomplete;
    ++counters_.seen;
    ++counters_.delivered;
    environment_.sink.emit(record);
    return true;
  }

  Environment environment_;
  ProcessFacts facts_;
  Duration interval_;
  Duration due_;
  std::vector<std::uint32_t> pids_;
  std::size_t pids_size_ = 0;
  std::vector<Known> known_, next_;  // by pid; at most kProcessesMax
  Counters counters_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_process_procfs(const Environment& environment) {
  std::uint32_t one = 0;
  if (list_processes(environment.settings.procfs, {&one, 1}) == 0) return fail(Errc::not_found, "agent.procfs.open");
  return std::make_unique<ProcessProcfs>(environment);
}

}  // namespace picket::agent
