// Tier "ebpf" of process: BTF tracepoints; everything a record needs was read in the kernel at the moment of exec.
#include <cstring>

#include "base/core/hash.h"
#include "event.h"
#include "process/tiers.h"
#include "support/bpf_ring.h"
#include "support/bpf_text.h"

namespace picket::agent {
namespace {

constexpr std::size_t kDrainMax = 4096;

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

class ProcessEbpf final : public Source {
 public:
  ProcessEbpf(const Environment& environment, std::unique_ptr<BpfRing> ring)
      : sink_(environment.sink), clock_(environment.clock), ring_(std::move(ring)), fd_(ring_->fd()) {}

  std::span<const int> fds() const override { return {&fd_, 1}; }
  Duration on_ready(int) override { return drain(); }
  Duration on_timer() override { return drain(); }

  Counters counters() const override {
    const KernelAccount kernel = ring_->account(PICKET_PROCESS_TYPES);
    return {.seen = kernel.seen,
            .delivered = delivered_,
            .dropped_kernel = kernel.dropped,
            .dropped_user = unreadable_,
            .incomplete = incomplete_};
  }

 private:
  Duration drain() {
    now_ = moment_of(clock_);
    const std::size_t drained = ring_->drain(kDrainMax, [this](Bytes record) { take(record); });
    return ring_->pace(drained, now_.monotonic);
  }

  void take(Bytes bytes) {
    picket_process_event event;
    if (bytes.size() < sizeof(event)) {
      ++unreadable_;
      return;
    }
    std::memcpy(&event, bytes.data(), sizeof(event));
    std::string_view tail = as_text(bytes.subspan(sizeof(event)));
    const std::size_t claimed =
        std::size_t{event.executable_bytes} + event.parent_bytes + event.cwd_bytes + event.argv_bytes;
    if (claimed > tail.size() || event.type >= PICKET_PROCESS_TYPES) {
      ++unreadable_;
      return;
    }
    const auto part = [&](std::size_t n) {
      const auto out = tail.substr(0, n);
      tail.remove_prefix(n);
      return out;
    };
    ProcessRecord record{.time = moment_from_boot(now_, event.time_ns), .origin = {"process", "ebpf", false}};
    record.kind = static_cast<ProcessRecord::Kind>(event.type);
    record.pid = event.pid;
    record.ppid = event.ppid;
    record.uid = event.uid;
    record.euid = event.euid;
    record.gid = event.gid;
    record.credentials_known = true;
    record.start = Duration::microseconds(static_cast<std::int64_t>(event.start_ns / 1000));
    record.exit_status = event.exit_code;
    if (record.kind == ProcessRecord::Kind::exec) {
      record.executable = executable_.join(part(event.executable_bytes), event.flags & PICKET_EXE_DELETED);
      const auto parent = part(event.parent_bytes);
      record.parent_executable = event.flags & PICKET_PARENT_IS_COMM
                                     ? parent.substr(0, parent.find('\0'))
                                     : parent_.join(parent, event.flags & PICKET_PARENT_DELETED);
      record.cwd = cwd_.join(part(event.cwd_bytes), false);
      record.argv = part(event.argv_bytes);
      record.argv_bytes = event.argv_total;
      record.argv_truncated = event.argv_total > event.argv_bytes;
      record.argv_lost = event.flags & PICKET_ARGV_LOST;
      record.argv_hash = fnv1a64(as_bytes(record.argv));
      for (std::size_t i = 0; i < record.stdio.size(); ++i) record.stdio[i] = stdio_of(event.stdio[i]);
      if (event.flags & (PICKET_ARGV_LOST | PICKET_PATH_CUT)) ++incomplete_;
    }
    ++delivered_;
    sink_.emit(record);
  }

  RecordSink& sink_;
  const Clock& clock_;
  std::unique_ptr<BpfRing> ring_;
  int fd_;
  Moment now_;
  PathText executable_, parent_, cwd_;
  std::uint64_t delivered_ = 0, unreadable_ = 0, incomplete_ = 0;
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
  return std::make_unique<ProcessEbpf>(environment, std::move(ring));
}

}  // namespace picket::agent
