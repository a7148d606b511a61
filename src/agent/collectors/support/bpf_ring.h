// Reader of a BPF ring buffer and of the account its program keeps; no libbpf.
#pragma once

#include <cstdint>
#include <span>

#include "agent/collector.h"
#include "base/core/bytes.h"
#include "base/core/result.h"
#include "programs.h"

namespace picket::agent {

/// Sums over CPUs of what a program saw and what the full ring refused, plus runs the kernel skipped (recursion
/// misses).
struct KernelAccount {
  std::uint64_t seen = 0;
  std::uint64_t dropped = 0;
};

/// One loaded BPF object. Owns it through `close`; the reader's thread only.
///
/// Waking the reader per record costs ten times the record itself. So records that come alone wake it, and it sleeps
/// again without a timer (`waiting`); records that come close together are fetched by timer, in batches.
class BpfRing {
 public:
  using Close = void (*)(picket_bpf*);

  /// Takes over `bpf`, which is loaded and attached, also on failure. Errors: io.
  static Result<std::unique_ptr<BpfRing>> create(const picket_bpf& bpf, Close close);
  ~BpfRing();
  BpfRing(const BpfRing&) = delete;
  BpfRing& operator=(const BpfRing&) = delete;

  [[nodiscard]] int fd() const { return bpf_.ring_fd; }

  /// Gives up to `count_max` records to `take`, oldest first; a record is valid during the call only. Returns how many.
  template <class Take>
  std::size_t drain(std::size_t count_max, Take&& take) {
    std::size_t count = 0;
    Bytes record;
    for (; count < count_max && next(record); ++count) {
      take(record);
      release();
    }
    return count;
  }

  /// Delay until the next drain is due, after one at `now` (monotonic) that gave `drained` records.
  Duration pace(std::size_t drained, Duration now);

  [[nodiscard]] KernelAccount account(std::uint32_t types) const;

 private:
  BpfRing(const picket_bpf& bpf, Close close);
  bool next(Bytes& record);
  void release();
  [[nodiscard]] bool has_more() const { return position(producer_) != position(consumer_); }
  /// Positions are of the type `unsigned long` of the kernel, and wrap.
  [[nodiscard]] std::uint64_t position(const void* page) const;

  picket_bpf bpf_;
  Close close_;
  bool kernel_of_64_bits_;
  void* consumer_ = nullptr;        // our page, writable
  const void* producer_ = nullptr;  // the kernel's page, then the data twice in a row
  const std::byte* data_ = nullptr;
  std::uint64_t step_ = 0;  // bytes of the record in hand, with header and padding
  bool batching_ = false;   // the reader comes by timer, records do not wake it
  Duration woken_;
};

/// Sums over CPUs of the first `types` rows of a program's map of accounts.
KernelAccount read_accounts(int map_fd, std::uint32_t types);

/// Number of CPUs a per-CPU map has rows for.
std::uint32_t possible_cpus();

}  // namespace picket::agent
