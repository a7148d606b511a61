// Tier "ebpf" of network: TCP states, and exchanges over UDP and ICMP, from the kernel, with the process behind them.
#include <cstring>

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/core/file.h"
#include "event.h"
#include "network/interface_names.h"
#include "network/net_table.h"
#include "network/tiers.h"
#include "support/bpf_counts.h"
#include "support/bpf_ring.h"
#include "support/bpf_text.h"
#include "support/cgroup_root.h"
#include "support/procfs.h"
#include "support/program_cache.h"

namespace picket::agent {
namespace {

constexpr std::size_t kDrainMax = 4096;
constexpr std::size_t kEntriesMax = 16384;
constexpr Duration kListenersPauseMin = Duration::milliseconds(100);  // between two looks for an owner; doubled
constexpr Duration kListenersPauseMax = Duration::minutes(1);         // by each that finds none
constexpr Duration kSweepMin = Duration::milliseconds(100);

/// The kernel's table of exchanges that are not the first of their socket.
class FlowTable {
 public:
  FlowTable(const picket_flows& flows, Duration idle)
      : fd_(flows.table_fd), idle_ns_(static_cast<std::uint64_t>(idle.us) * 1000), tabled_(flows.tabled) {
    *flows.idle_ns = idle_ns_;
  }

  /// False: nothing was put in since the table was last found empty.
  [[nodiscard]] bool worth_a_look() const { return !empty_ || *tabled_ != tabled_then_; }

  /// Takes out those that are over and gives them to `take`.
  template <class Take>
  void sweep(std::uint64_t boot_ns, Take&& take) {
    tabled_then_ = *tabled_;
    empty_ = true;
    picket_flow_key key, next;
    bool more = step(nullptr, key);
    for (int i = 0; more && i < 2 * PICKET_FLOWS_MAX; ++i, key = next) {
      empty_ = false;
      more = step(&key, next);  // before `key` goes
      picket_flow flow;
      if (!get(BPF_MAP_LOOKUP_ELEM, key, flow) || boot_ns - flow.last_ns <= idle_ns_ || flow.last_ns > boot_ns ||
          !get(BPF_MAP_LOOKUP_AND_DELETE_ELEM, key, flow)) {
        continue;
      }
      if (flow.direction != 0) take(key, flow);
    }
  }

 private:
  bool step(const picket_flow_key* from, picket_flow_key& to) const {
    bpf_attr attr{};
    attr.map_fd = static_cast<std::uint32_t>(fd_);
    attr.key = reinterpret_cast<std::uintptr_t>(from);
    attr.next_key = reinterpret_cast<std::uintptr_t>(&to);
    return syscall(__NR_bpf, BPF_MAP_GET_NEXT_KEY, &attr, sizeof(attr)) == 0;
  }
  bool get(bpf_cmd how, const picket_flow_key& key, picket_flow& flow) const {
    bpf_attr attr{};
    attr.map_fd = static_cast<std::uint32_t>(fd_);
    attr.key = reinterpret_cast<std::uintptr_t>(&key);
    attr.value = reinterpret_cast<std::uintptr_t>(&flow);
    return syscall(__NR_bpf, how, &attr, sizeof(attr)) == 0;
  }

  int fd_;
  std::uint64_t idle_ns_;
  const volatile __u64* tabled_;
  std::uint64_t tabled_then_ = 0;
  bool empty_ = true;
};

class NetworkEbpf final : public Source {
 public:
  NetworkEbpf(const Environment& environment, UniqueFd second_link, const BpfCounts& counts,
              std::unique_ptr<BpfRing> ring, const picket_flows& flows)
      : environment_(environment),
        second_link_(std::move(second_link)),
        ring_(std::move(ring)),
        counts_(counts),
        flows_(flows, environment.settings.network_idle),
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
    return {.seen = kernel.seen - who_ + swept_,
            .delivered = delivered_,
            .dropped_kernel = kernel.dropped - std::min(kernel.dropped, recovered_),
            .dropped_user = unreadable_,
            .incomplete = incomplete_};
  }

 private:
  Duration drain() {
    now_ = moment_of(environment_.clock);
    const std::size_t drained = ring_->drain(kDrainMax, [this](Bytes record) { take(record); });
    if (drained < kDrainMax && counts_.wait(now_.monotonic).us <= 0) take_counts();
    const Duration pace = std::min(ring_->pace(drained, now_.monotonic), counts_.wait(now_.monotonic));
    return flows_.worth_a_look() ? std::min(pace, sweep()) : pace;
  }

  // What the ring refused while we were slow.
  void take_counts() {
    counts_.take<picket_counted_connection_key, picket_counted_connection>(
        now_.monotonic, [this](const picket_counted_connection_key&, const picket_counted_connection& counted) {
          recovered_ += counted.count;
          picket_connection_event event = counted.first;
          if (counted.count > 1) (event.direction == PICKET_IN ? event.remote_port : event.local_port) = 0;
          const Duration spread{static_cast<std::int64_t>(counted.last_ns - std::min(counted.last_ns, event.time_ns)) /
                                1000};
          // The sums must stay what they are: the last one gets what does not divide.
          event.bytes_in = counted.bytes_in / counted.count;
          event.bytes_out = counted.bytes_out / counted.count;
          const std::uint64_t many = counted.count - 1;
          if (many > 0) take_connection(event, many, spread);
          event.bytes_in = counted.bytes_in - many * event.bytes_in;
          event.bytes_out = counted.bytes_out - many * event.bytes_out;
          event.time_ns = counted.last_ns;
          take_connection(event);
        });
  }

  /// Reports exchanges of the table that are over. Returns the delay until the next look.
  Duration sweep() {
    if (const Duration wait = sweep_at_ - now_.monotonic; wait.us > 0) return wait;
    const Duration every = std::max(kSweepMin, Duration{environment_.settings.network_idle.us / 4});
    sweep_at_ = now_.monotonic + every;
    flows_.sweep(static_cast<std::uint64_t>(now_.monotonic.us) * 1000,
                 [this](const picket_flow_key& key, const picket_flow& flow) {
                   ++swept_;
                   take_connection(closed_event(key, flow));
                 });
    return every;
  }

  static picket_connection_event closed_event(const picket_flow_key& key, const picket_flow& flow) {
    picket_connection_event event{};
    event.type = PICKET_CLOSED;
    event.family = key.family;
    event.protocol = key.protocol;
    event.direction = flow.direction;
    event.time_ns = flow.last_ns;
    event.opened_ns = flow.opened_ns;
    event.cookie = key.cookie;
    event.pid = flow.pid;
    event.uid = flow.uid;
    event.start_ns = flow.start_ns;
    event.bytes_in = flow.bytes_in;
    event.bytes_out = flow.bytes_out;
    std::memcpy(event.local, flow.local, sizeof(event.local));
    std::memcpy(event.remote, key.remote, sizeof(event.remote));
    event.local_port = flow.local_port;
    event.remote_port = key.remote_port;
    event.ifindex = flow.ifindex;
    event.netns = key.netns;
    return event;
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

  /// `count` alike ones, of which this was the first; their last was `spread` later.
  void take_connection(const picket_connection_event& event, std::uint64_t count = 1, Duration spread = {}) {
    ConnectionRecord record{.time = moment_from_boot(now_, event.time_ns), .origin = {"network", "ebpf", false}};
    record.kind = event.type == PICKET_OPENED   ? ConnectionRecord::Kind::opened
                  : event.type == PICKET_FAILED ? ConnectionRecord::Kind::failed
                                                : ConnectionRecord::Kind::closed;
    record.direction =
        event.direction == PICKET_IN ? ConnectionRecord::Direction::in : ConnectionRecord::Direction::out;
    record.count = count;
    record.spread = spread;
    record.protocol = event.protocol;
    record.local = {address_of(event.family, event.local), event.local_port};
    record.remote = {address_of(event.family, event.remote), event.remote_port};
    record.interface = interfaces_.find(event.ifindex, event.netns, now_.monotonic);
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
    if (record.executable.empty()) incomplete_ += count;
    delivered_ += count;
    environment_.sink.emit(record);
  }

  // An accepted socket of a listener that is older than our program, or a datagram socket that is.
  void find_listener(ConnectionRecord& record) {
    if (record.local.port == 0) return;  // ICMP that the kernel answered
    const Listeners& holders = record.protocol == 6 ? listeners_ : datagrams_;
    const auto* listener = holders.find(record.local.port);
    if (!listener && now_.monotonic - listeners_at_ >= listeners_pause_) {
      refresh_listeners();
      listener = holders.find(record.local.port);
      const bool found = listener && owners_.find(listener->inode) != 0;
      listeners_pause_ =
          found ? Duration{} : std::clamp(Duration{listeners_pause_.us * 2}, kListenersPauseMin, kListenersPauseMax);
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
    datagrams_.rebuild(entries, 17);
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
  UniqueFd second_link_;  // closed after the ring's programs
  std::unique_ptr<BpfRing> ring_;
  BpfCounts counts_;
  FlowTable flows_;
  Duration sweep_at_;
  InterfaceNames interfaces_;
  int fd_;
  ProcessFacts facts_;
  SocketOwners owners_;
  Listeners listeners_, datagrams_;  // who listens; who holds a UDP port
  Duration listeners_at_;
  Duration listeners_pause_;
  ProgramCache programs_;
  PathText path_;
  Moment now_;
  std::uint64_t delivered_ = 0, unreadable_ = 0, incomplete_ = 0, who_ = 0, swept_ = 0;
  std::uint64_t recovered_ = 0;  // of what the ring refused: counted in the kernel, taken from there
};

}  // namespace

Result<std::unique_ptr<Source>> open_network_ebpf(const Environment& environment) {
  TRY(const std::uint32_t ring_bytes, checked_ring_bytes(environment.settings.network_ring_bytes));
  const UniqueFd cgroup = open_cgroup_root();
  picket_bpf bpf{};
  picket_flows flows{};
  if (const int status = picket_network_bpf_open(&bpf, ring_bytes, cgroup.get(), &flows); status < 0) {
    return bpf_failure(bpf.failed_step, status);
  }
  UniqueFd second_link{flows.second_link};
  TRY(auto ring, BpfRing::create(bpf, picket_network_bpf_close));
  return std::make_unique<NetworkEbpf>(environment, std::move(second_link), BpfCounts(bpf), std::move(ring), flows);
}

}  // namespace picket::agent
