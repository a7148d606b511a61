#include "support/bpf_ring.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/core/file.h"

namespace picket::agent {
namespace {

constexpr std::uint32_t kBusyBit = 1U << 31;
constexpr std::uint32_t kDiscardBit = 1U << 30;
constexpr std::uint64_t kHeaderBytes = 8;
constexpr std::uint32_t kCpusMax = 1024;
constexpr std::uint32_t kWakeShare = 2;  // of the ring, in use: then the reader is woken before its time
constexpr Duration kBusyPace = Duration::milliseconds(50);
constexpr std::size_t kBatchMin = 2;  // fewer a pace: waking for each is cheaper
constexpr Duration kQuietPace = Duration::minutes(5);

int sys_bpf(bpf_cmd command, bpf_attr& attr) {
  return static_cast<int>(syscall(__NR_bpf, command, &attr, sizeof(attr)));
}

std::uint64_t page_bytes() { return static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)); }

std::uint64_t recursion_misses(int program_fd) {
  bpf_prog_info info{};
  bpf_attr attr{};
  attr.info.bpf_fd = static_cast<std::uint32_t>(program_fd);
  attr.info.info_len = sizeof(info);
  attr.info.info = reinterpret_cast<std::uintptr_t>(&info);
  return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, attr) == 0 ? info.recursion_misses : 0;
}

// A program of 32 bits may run on either.
bool is_kernel_of_64_bits() {
  if (sizeof(long) == 8) return true;
  utsname name{};
  return uname(&name) == 0 && std::string_view(name.machine).contains("64");
}

}  // namespace

std::uint32_t possible_cpus() {
  // "0-3" or "0": the last number is the highest index.
  const auto text = read_file("/sys/devices/system/cpu/possible", 4096);
  if (!text) return kCpusMax;
  const std::size_t begin = text->find_last_of("-,");
  const char* first = text->data() + (begin == std::string::npos ? 0 : begin + 1);
  std::uint32_t last = 0;
  if (std::from_chars(first, text->data() + text->size(), last).ec != std::errc{}) return kCpusMax;
  return std::min(last + 1, kCpusMax);
}

BpfRing::BpfRing(const picket_bpf& bpf, Close close)
    : bpf_(bpf), close_(close), kernel_of_64_bits_(is_kernel_of_64_bits()) {}

Result<std::unique_ptr<BpfRing>> BpfRing::create(const picket_bpf& bpf, Close close) {
  std::unique_ptr<BpfRing> ring{new BpfRing(bpf, close)};
  const auto page = static_cast<std::size_t>(page_bytes());
  void* consumer = mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_SHARED, bpf.ring_fd, 0);
  if (consumer == MAP_FAILED) return fail_errno("agent.bpf.ring.map");
  ring->consumer_ = consumer;
  // The data is mapped twice in a row, so that a record that wraps can be read in one piece.
  void* producer = mmap(nullptr, page + std::size_t{2} * bpf.ring_bytes, PROT_READ, MAP_SHARED, bpf.ring_fd,
                        static_cast<off_t>(page));
  if (producer == MAP_FAILED) return fail_errno("agent.bpf.ring.map");
  ring->producer_ = producer;
  ring->data_ = static_cast<const std::byte*>(producer) + page;
  *bpf.wake_bytes = bpf.ring_bytes / kWakeShare;
  *bpf.waiting = 1;
  return ring;
}

BpfRing::~BpfRing() {
  const auto page = static_cast<std::size_t>(page_bytes());
  if (consumer_) munmap(consumer_, page);
  if (producer_) munmap(const_cast<void*>(producer_), page + std::size_t{2} * bpf_.ring_bytes);
  close_(&bpf_);
}

std::uint64_t BpfRing::position(const void* page) const {
  // Behind the producer's stands another number of the kernel since 6.10 and its stable siblings: nothing wider may be
  // read.
  return kernel_of_64_bits_ ? __atomic_load_n(static_cast<const std::uint64_t*>(page), __ATOMIC_ACQUIRE)
                            : __atomic_load_n(static_cast<const std::uint32_t*>(page), __ATOMIC_ACQUIRE);
}

bool BpfRing::next(Bytes& record) {
  while (has_more()) {
    const std::uint64_t at = position(consumer_);
    const std::byte* header = data_ + (at & (bpf_.ring_bytes - 1));
    const std::uint32_t word = __atomic_load_n(reinterpret_cast<const std::uint32_t*>(header), __ATOMIC_ACQUIRE);
    if (word & kBusyBit) return false;  // reserved, not committed yet; it holds back what follows
    const std::uint32_t bytes = word & ~kDiscardBit;
    step_ = (bytes + kHeaderBytes + 7) & ~std::uint64_t{7};
    if (word & kDiscardBit) {
      release();
      continue;
    }
    record = Bytes{header + kHeaderBytes, bytes};
    return true;
  }
  return false;
}

void BpfRing::release() {
  const std::uint64_t to = position(consumer_) + step_;
  if (kernel_of_64_bits_) {
    __atomic_store_n(static_cast<std::uint64_t*>(consumer_), to, __ATOMIC_RELEASE);
  } else {
    __atomic_store_n(static_cast<std::uint32_t*>(consumer_), static_cast<std::uint32_t>(to), __ATOMIC_RELEASE);
  }
}

Duration BpfRing::pace(std::size_t drained, Duration now) {
  *bpf_.wake_bytes = bpf_.ring_bytes / kWakeShare;  // it may have rung
  if (batching_) {
    batching_ = drained >= kBatchMin;
  } else if (drained > 0) {
    batching_ = now - woken_ < kBusyPace;
    woken_ = now;
  }
  if (batching_) {
    // All rings at the same moments: one wake-up serves all of them.
    const Duration left{kBusyPace.us - now.us % kBusyPace.us};
    return left.us < kBusyPace.us / 2 ? left + kBusyPace : left;
  }
  *bpf_.waiting = 1;
  // Pairs with the commit in the program (wake_reader): it sees the flag, or we see its record.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  return has_more() ? Duration{} : kQuietPace;
}

KernelAccount read_accounts(int map_fd, std::uint32_t types) {
  struct Row {
    std::uint64_t seen, dropped;
  };
  static const std::uint32_t cpus = possible_cpus();
  const auto rows = std::make_unique<Row[]>(cpus);
  KernelAccount sum;
  for (std::uint32_t type = 0; type < types; ++type) {
    bpf_attr attr{};
    attr.map_fd = static_cast<std::uint32_t>(map_fd);
    attr.key = reinterpret_cast<std::uintptr_t>(&type);
    attr.value = reinterpret_cast<std::uintptr_t>(rows.get());
    if (sys_bpf(BPF_MAP_LOOKUP_ELEM, attr) != 0) continue;
    for (std::uint32_t cpu = 0; cpu < cpus; ++cpu) {
      sum.seen += rows[cpu].seen;
      sum.dropped += rows[cpu].dropped;
    }
  }
  return sum;
}

KernelAccount BpfRing::account(std::uint32_t types) const {
  KernelAccount sum = read_accounts(bpf_.accounts_fd, types);
  for (int i = 0; i < bpf_.program_count; ++i) {
    const std::uint64_t missed = recursion_misses(bpf_.program_fds[i]);
    sum.seen += missed;
    sum.dropped += missed;
  }
  return sum;
}

}  // namespace picket::agent
