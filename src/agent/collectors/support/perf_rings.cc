#include "support/perf_rings.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/bare_bpf.h"
#include "support/bpf_ring.h"

namespace picket::agent {
namespace {

std::size_t page_bytes() { return static_cast<std::size_t>(sysconf(_SC_PAGESIZE)); }

perf_event_mmap_page& positions(void* pages) { return *static_cast<perf_event_mmap_page*>(pages); }

// What stands in front of the bytes of a sample with PERF_SAMPLE_TIME and PERF_SAMPLE_RAW.
struct SampleHead {
  perf_event_header header;
  std::uint64_t time_ns;
  std::uint32_t bytes;
} __attribute__((packed));

struct LostRecord {
  perf_event_header header;
  std::uint64_t id, lost;
};

Result<UniqueFd> open_output(int cpu) {
  perf_event_attr event{};
  event.type = PERF_TYPE_SOFTWARE;
  event.size = sizeof(event);
  event.config = PERF_COUNT_SW_BPF_OUTPUT;
  event.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_RAW;
  event.sample_period = 1;
  event.wakeup_events = 1;
  UniqueFd fd{static_cast<int>(syscall(__NR_perf_event_open, &event, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC))};
  if (!fd.valid()) return fail_errno("agent.bpf.perf.open");
  return fd;
}

}  // namespace

Result<std::unique_ptr<PerfRings>> PerfRings::create(const UniqueFd& map, std::uint32_t bytes) {
  std::unique_ptr<PerfRings> out{new PerfRings(bytes)};
  out->record_.resize(kRecordBytesMax);
  for (std::uint32_t cpu = 0; cpu < possible_cpus(); ++cpu) {
    auto event = open_output(static_cast<int>(cpu));
    if (!event && errno == ENODEV) continue;  // it is off
    if (!event) return std::unexpected(event.error());
    Ring ring{.event = *std::move(event)};
    void* pages = mmap(nullptr, page_bytes() + bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring.event.get(), 0);
    if (pages == MAP_FAILED) return fail_errno("agent.bpf.perf.map");
    ring.pages = pages;
    const int fd = ring.event.get();
    out->rings_.push_back(std::move(ring));
    out->fds_.push_back(fd);
    TRY_VOID(update_bpf_map(map, &cpu, &fd));
    if (ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) != 0) return fail_errno("agent.bpf.perf.enable");
  }
  return out;
}

PerfRings::~PerfRings() {
  for (const Ring& ring : rings_) munmap(ring.pages, page_bytes() + bytes_);
}

void PerfRings::copy(const Ring& ring, std::uint64_t at, std::span<std::byte> out) const {
  const std::byte* data = static_cast<const std::byte*>(ring.pages) + page_bytes();
  const auto begin = static_cast<std::size_t>(at & (bytes_ - 1));
  const std::size_t front = std::min<std::size_t>(out.size(), bytes_ - begin);
  std::memcpy(out.data(), data + begin, front);
  std::memcpy(out.data() + front, data, out.size() - front);
}

std::uint64_t PerfRings::peek(Ring& ring) {
  perf_event_mmap_page& page = positions(ring.pages);
  const std::uint64_t head = __atomic_load_n(&page.data_head, __ATOMIC_ACQUIRE);
  for (std::uint64_t at = page.data_tail; at != head;) {
    SampleHead sample;
    copy(ring, at, std::as_writable_bytes(std::span(&sample.header, 1)));
    if (sample.header.type == PERF_RECORD_SAMPLE && sample.header.size >= sizeof(sample)) {
      copy(ring, at, std::as_writable_bytes(std::span(&sample, 1)));
      if (sample.bytes <= std::min<std::size_t>(kRecordBytesMax, sample.header.size - sizeof(sample))) {
        return sample.time_ns;
      }
    }
    if (sample.header.type == PERF_RECORD_LOST && sample.header.size >= sizeof(LostRecord)) {
      LostRecord record;
      copy(ring, at, std::as_writable_bytes(std::span(&record, 1)));
      lost_ += record.lost;
    } else {
      ++lost_;
    }
    // A length of 0 would never end: nothing behind it can be read.
    at = sample.header.size == 0 ? head : at + sample.header.size;
    __atomic_store_n(&page.data_tail, at, __ATOMIC_RELEASE);
  }
  return 0;
}

bool PerfRings::next(Bytes& record) {
  Ring* oldest = nullptr;
  std::uint64_t oldest_ns = 0;
  for (Ring& ring : rings_) {
    const std::uint64_t time_ns = peek(ring);
    if (time_ns != 0 && (!oldest || time_ns < oldest_ns)) {
      oldest = &ring;
      oldest_ns = time_ns;
    }
  }
  if (!oldest) return false;
  perf_event_mmap_page& page = positions(oldest->pages);
  const std::uint64_t at = page.data_tail;
  SampleHead sample;
  copy(*oldest, at, std::as_writable_bytes(std::span(&sample, 1)));
  const std::span<std::byte> out = std::span(record_).first(sample.bytes);
  copy(*oldest, at + sizeof(sample), out);
  __atomic_store_n(&page.data_tail, at + sample.header.size, __ATOMIC_RELEASE);
  record = out;
  return true;
}

}  // namespace picket::agent
