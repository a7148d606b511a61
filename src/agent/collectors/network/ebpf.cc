// Tier "ebpf" of network: TCP states and UDP connects from the kernel, with the process that asked for them.
#include <cstring>

#include <fcntl.h>

#include "base/core/file.h"
#include "event.h"
#include "network/net_table.h"
#include "network/tiers.h"
#include "support/bpf_ring.h"
#include "support/bpf_text.h"
#include "support/procfs.h"
#include "support/program_cache.h"

namespace picket::agent {
namespace {

constexpr std::size_t kDrainMax = 4096;
constexpr std::size_t kEntriesMax = 16384;
constexpr Duration kListenersPause = Duration::seconds(1);

class NetworkEbpf final : public Source {
 public:
  NetworkEbpf(const Environment& environment, std::unique_ptr<BpfRing> ring)
      : environment_(environment),
        ring_(std::move(ring)),
        fd_(ring_->fd()),
        facts_(environment.settings.procfs),
        owners_(environment.settings.procfs) {
    refresh_listeners();
  }

  std::span<const int> fds() const override { return {&fd_, 1}; }
  Duration on_ready(int) override { return drain(); }
  Duration on_timer() override { return drain(); }

  Counters counters() const override {
    const KernelAccount kernel = ring_->account(PICKET_NETWORK_TYPES);
    // Who-records are read, but no records of their own.
    return {.seen = kernel.seen - who_,
            .delivered = delivered_,
            .dropped_kernel = kernel.dropped,
            .dropped_user = unreadable_,
            .incomplete = incomplete_};
  }

 private:
  Duration drain() {
    now_ = moment_of(environment_.clock);
    const std::size_t drained = ring_->drain(kDrainMax, [this](Bytes record) { take(record); });
    return ring_->pace(drained, now_.monotonic);
  }

  void take(Bytes bytes) {
    std::uint32_t type = 0;
    if (bytes.size() >= sizeof(type)) std::memcpy(&type, bytes.data(), sizeof(type));
    if (type == PICKET_WHO && bytes.size() >= sizeof(picket_who_event)) return take_who(bytes);
    if (type >= PICKET_NETWORK_TYPES || bytes.size() < sizeof(picket_connection_event)) {
      ++unreadable_;
      return;
    }
    picket_connection_event event;
    std::memcpy(&event, bytes.data(), sizeof(event));
    take_connection(event);
  }

  void take_who(Bytes bytes) {
    picket_who_event event;
    std::memcpy(&event, bytes.data(), sizeof(event));
    const auto tail = as_text(bytes.subspan(sizeof(event)));
    if (std::size_t{event.executable_bytes} + event.argv_bytes > tail.size()) {
      ++unreadable_;
      return;
    }
    ++who_;
    const auto executable = path_.join(tail.substr(0, event.executable_bytes), event.flags & PICKET_EXE_DELETED);
    programs_.put(event.pid, event.start_ns, executable, tail.substr(event.executable_bytes, event.argv_bytes));
  }

  void take_connection(const picket_connection_event& event) {
    ConnectionRecord record{.time = moment_from_boot(now_, event.time_ns), .origin = {"network", "ebpf", false}};
    record.kind = event.type == PICKET_OPENED   ? ConnectionRecord::Kind::opened
                  : event.type == PICKET_FAILED ? ConnectionRecord::Kind::failed
                                                : ConnectionRecord::Kind::closed;
    record.direction =
        event.direction == PICKET_IN ? ConnectionRecord::Direction::in : ConnectionRecord::Direction::out;
    record.protocol = event.protocol;
    record.local = {address_of(event.family, event.local), event.local_port};
    record.remote = {address_of(event.family, event.remote), event.remote_port};
    record.cookie = event.cookie;
    record.pid = event.pid;
    record.uid = event.uid;
    record.uid_known = event.pid != 0;
    if (record.kind == ConnectionRecord::Kind::closed) {
      record.bytes_in = event.bytes_in;
      record.bytes_out = event.bytes_out;
      record.bytes_known = true;
      record.lasted = Duration::microseconds(static_cast<std::int64_t>((event.time_ns - event.opened_ns) / 1000));
    }
    if (record.pid == 0) find_listener(record);
    if (record.pid != 0) name_program(record, event.start_ns);
    if (record.executable.empty()) ++incomplete_;
    ++delivered_;
    environment_.sink.emit(record);
  }

  // An accepted socket of a listener that is older than our program.
  void find_listener(ConnectionRecord& record) {
    const auto* listener = listeners_.find(record.local.port);
    if (!listener && now_.monotonic - listeners_at_ >= kListenersPause) {
      refresh_listeners();
      listener = listeners_.find(record.local.port);
    }
    if (!listener) return;
    record.pid = owners_.find(listener->inode);
    record.uid = listener->uid;
    record.uid_known = true;
  }

  void refresh_listeners() {
    std::vector<NetEntry> entries;
    read_net_tables(environment_.settings.procfs, kEntriesMax, entries);
    listeners_.rebuild(entries);
    owners_.refresh();
    listeners_at_ = environment_.clock.monotonic();
  }

  void name_program(ConnectionRecord& record, std::uint64_t start_ns) {
    const auto* program = programs_.find(record.pid, start_ns);
    if (!program && facts_.read_program(record.pid)) {
      program = &programs_.put(record.pid, start_ns, facts_.executable(), facts_.argv());
    }
    if (!program) return;
    record.executable = program->executable;
    record.argv = program->argv;
  }

  Environment environment_;
  std::unique_ptr<BpfRing> ring_;
  int fd_;
  ProcessFacts facts_;
  SocketOwners owners_;
  Listeners listeners_;
  Duration listeners_at_;
  ProgramCache programs_;
  PathText path_;
  Moment now_;
  std::uint64_t delivered_ = 0, unreadable_ = 0, incomplete_ = 0, who_ = 0;
};

// The root of the cgroup2 tree: mounted alone, or as "unified" in the hybrid layout. -1: neither, so no UDP.
UniqueFd open_cgroup_root() {
  UniqueFd fd{open("/sys/fs/cgroup/unified", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd.valid()) fd.reset(open("/sys/fs/cgroup", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return fd;
}

}  // namespace

Result<std::unique_ptr<Source>> open_network_ebpf(const Environment& environment) {
  TRY(const std::uint32_t ring_bytes, checked_ring_bytes(environment.settings.network_ring_bytes));
  const UniqueFd cgroup = open_cgroup_root();
  picket_bpf bpf{};
  int udp = 0;
  if (const int status = picket_network_bpf_open(&bpf, ring_bytes, cgroup.get(), &udp); status < 0) {
    return bpf_failure(bpf.failed_step, status);
  }
  TRY(auto ring, BpfRing::create(bpf, picket_network_bpf_close));
  return std::make_unique<NetworkEbpf>(environment, std::move(ring));
}

}  // namespace picket::agent
