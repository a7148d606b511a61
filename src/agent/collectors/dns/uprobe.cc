// Tier "uprobe" of dns: what programs ask their C library, by probes on getaddrinfo(), where neither packets nor the
// cgroup's hooks are to be had. It has the process and its answer, also from a cache or a file, and also of names that
// travel over TLS; it does not see programs with a resolver of their own, or that are linked statically.
#include <charconv>
#include <cstring>
#include <deque>

#include <unistd.h>

#include "base/core/file.h"
#include "dns/reporter.h"
#include "dns/resolver_call.h"
#include "dns/resolver_libraries.h"
#include "dns/tiers.h"
#include "names_event.h"
#include "support/bare_bpf.h"
#include "support/bpf_ring.h"
#include "support/bpf_text.h"

// The tables need the types above.
#include "picket_names.h"

namespace picket::agent {
namespace {

constexpr std::uint32_t kRingBytes = 64 << 10;
constexpr std::size_t kRecordsMax = 256;                // a call
constexpr Duration kScanEvery = Duration::seconds(30);  // containers come, libraries are upgraded
constexpr std::size_t kFileBytesMax = 64;

/// A number in a file of the kernel's, behind `before`: "8", "config:0".
Result<std::uint32_t> number_in(const std::string& path, std::string_view before) {
  TRY(const std::string text, read_file(path, kFileBytesMax));
  std::uint32_t value = 0;
  if (!text.starts_with(before) ||
      std::from_chars(text.data() + before.size(), text.data() + text.size(), value).ec != std::errc{}) {
    return fail(Errc::unsupported, "agent.dns.uprobe");
  }
  return value;
}

struct Probes {
  std::array<UniqueFd, PICKET_NAMES_MAPS> maps;
  UniqueFd enter, leave;
  std::uint32_t type = 0, return_bit = 0;  // of the kernel's probes among performance events
  std::size_t word_bytes = 8;
  std::uint32_t waiting = 0;  // the kernel wakes the reader whenever it has read all: names are looked up seldom
  std::uint64_t wake_bytes = 0;

  struct Attached {
    std::pair<dev_t, ino_t> file;
    UniqueFd enter, leave;
  };
  std::deque<Attached> libraries;  // oldest first
};

void close_probes(picket_bpf* bpf) {
  delete static_cast<Probes*>(bpf->skeleton);
  bpf->skeleton = nullptr;
}

Result<std::unique_ptr<Probes>> load_probes() {
  auto out = std::make_unique<Probes>();
  const std::string folder = "/sys/bus/event_source/devices/uprobe/";
  TRY(out->type, number_in(folder + "type", ""));
  TRY(out->return_bit, number_in(folder + "format/retprobe", "config:"));
  TRY(const KernelRegisters registers, kernel_registers());
  out->word_bytes = registers.word_bytes;
  // Programs of 32 bits on a kernel of 64 have other places for arguments: only the kernel's own width is probed.
  if (registers.word_bytes != sizeof(long)) return fail(Errc::unsupported, "agent.dns.uprobe.width");
  TRY(out->maps[PICKET_NAMES_MAP_RING], make_bpf_map(BPF_MAP_TYPE_RINGBUF, 0, 0, kRingBytes));
  TRY(out->maps[PICKET_NAMES_MAP_ACCOUNTS], make_bpf_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 16, 1));
  TRY(out->maps[PICKET_NAMES_MAP_SCRATCH], make_bpf_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, sizeof(picket_names_event), 1));
  TRY(out->maps[PICKET_NAMES_MAP_CALLS],
      make_bpf_map(BPF_MAP_TYPE_LRU_HASH, 8, PICKET_NAMES_CALL_BYTES, PICKET_NAMES_CALLS_MAX));
  std::array<std::uint32_t, PICKET_NAMES_PATCHES> patches{};
  patches[PICKET_NAMES_WORD_BYTES] = registers.word_bytes;
  patches[PICKET_NAMES_AT_FIRST] = registers.first_argument;
  patches[PICKET_NAMES_AT_FOURTH] = registers.fourth_argument;
  patches[PICKET_NAMES_AT_RETURNED] = registers.returned;
  TRY(out->enter, load_bare_program({picket_names_enter, picket_names_enter_maps}, BPF_PROG_TYPE_KPROBE, out->maps,
                                    PICKET_NAMES_PATCH, patches));
  TRY(out->leave, load_bare_program({picket_names_leave, picket_names_leave_maps}, BPF_PROG_TYPE_KPROBE, out->maps,
                                    PICKET_NAMES_PATCH, patches));
  return out;
}

Result<> attach(Probes& probes, const ResolverLibrary& library) {
  perf_event_attr event{};
  event.type = probes.type;
  event.config1 = reinterpret_cast<std::uintptr_t>(library.path.c_str());
  event.config2 = library.offset;
  Probes::Attached attached{.file = {library.device, library.inode}};
  TRY(attached.enter, attach_bare_program(event, probes.enter));
  event.config = std::uint64_t{1} << probes.return_bit;
  TRY(attached.leave, attach_bare_program(event, probes.leave));
  if (probes.libraries.size() == kLibrariesMax) probes.libraries.pop_front();
  probes.libraries.push_back(std::move(attached));
  return {};
}

/// Probes the libraries that are new. The last error, if any refused.
Result<> scan(Probes& probes, const std::string& procfs) {
  std::vector<std::pair<dev_t, ino_t>> known;
  for (const auto& each : probes.libraries) known.push_back(each.file);
  Result<> last;
  for (const ResolverLibrary& library : find_resolver_libraries(procfs, probes.word_bytes, known)) {
    if (auto attached = attach(probes, library); !attached) last = std::unexpected(attached.error());
  }
  return last;
}

class DnsUprobe final : public Source {
 public:
  DnsUprobe(const Environment& environment, Probes& probes, std::unique_ptr<BpfRing> ring)
      : environment_(environment),
        probes_(probes),
        ring_(std::move(ring)),
        fd_(ring_->fd()),
        reporter_(environment, "uprobe"),
        scanned_(environment.clock.monotonic()) {}

  std::span<const int> fds() const override { return {&fd_, 1}; }

  Counters counters() const override {
    Counters all = reporter_.counters();
    const std::uint64_t refused = ring_->account(1).dropped;
    all.seen += refused;
    all.dropped_kernel += refused;
    return all;
  }

  Duration on_ready(int) override {
    const Moment now = moment_of(environment_.clock);
    const std::size_t drained = ring_->drain(kRecordsMax, [&](Bytes record) { take(record, now); });
    if (drained == kRecordsMax) return {};
    if (now.monotonic - scanned_ >= kScanEvery) {
      scanned_ = now.monotonic;
      (void)scan(probes_, environment_.settings.procfs);
    }
    return kScanEvery - (now.monotonic - scanned_);
  }
  Duration on_timer() override { return on_ready(fd_); }

 private:
  void take(Bytes record, const Moment& now) {
    picket_names_event event;
    if (record.size() < sizeof(event)) return;
    std::memcpy(&event, record.data(), sizeof(event));
    for (LookUp& look_up : look_ups_of(event, moment_from_boot(now, event.time_ns))) reporter_.tell(look_up);
  }

  Environment environment_;
  Probes& probes_;  // the ring's
  std::unique_ptr<BpfRing> ring_;
  int fd_;
  DnsReporter reporter_;
  Duration scanned_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_dns_uprobe(const Environment& environment) {
  TRY(auto probes, load_probes());
  const auto scanned = scan(*probes, environment.settings.procfs);
  if (probes->libraries.empty()) {
    if (!scanned) return std::unexpected(scanned.error());
    return fail(Errc::not_found, "agent.dns.uprobe.library");
  }
  picket_bpf bpf{};
  bpf.ring_fd = probes->maps[PICKET_NAMES_MAP_RING].get();
  bpf.accounts_fd = probes->maps[PICKET_NAMES_MAP_ACCOUNTS].get();
  bpf.ring_bytes = kRingBytes;
  bpf.program_fds[bpf.program_count++] = probes->enter.get();
  bpf.program_fds[bpf.program_count++] = probes->leave.get();
  bpf.waiting = &probes->waiting;
  bpf.wake_bytes = reinterpret_cast<volatile __u64*>(&probes->wake_bytes);
  Probes& kept = *probes;
  bpf.skeleton = probes.release();
  TRY(auto ring, BpfRing::create(bpf, close_probes));
  return std::make_unique<DnsUprobe>(environment, kept, std::move(ring));
}

}  // namespace picket::agent
