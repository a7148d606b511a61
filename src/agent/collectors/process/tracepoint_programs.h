// Loading the programs of tier "tracepoint" without a skeleton: kernels without BTF cannot take one.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "base/core/result.h"
#include "support/bpf_ring.h"
#include "support/perf_rings.h"

namespace picket::agent {

struct AttachedTracepoints;

/// Programs that run, and the reader of what they put out.
class TracepointPrograms {
 public:
  /// Makes the maps, loads the programs, fitted to this kernel, and attaches them. Needs tracefs (mounted at its usual
  /// place) and perf events for tracepoints. `fork_exit`: forks and ends too. `old_kernel`: as on kernels before 5.8,
  /// that is by buffers of perf events and with the helpers of those; also taken where there are no ring buffers.
  /// Errors: not_found (tracefs), unsupported (architecture, form of a tracepoint), io (refused).
  static Result<std::unique_ptr<TracepointPrograms>> open(std::uint32_t ring_bytes, bool fork_exit, bool old_kernel);
  ~TracepointPrograms();
  TracepointPrograms(const TracepointPrograms&) = delete;
  TracepointPrograms& operator=(const TracepointPrograms&) = delete;

  [[nodiscard]] std::span<const int> fds() const;
  /// As BpfRing::drain().
  template <class Take>
  std::size_t drain(std::size_t count_max, Take&& take) {
    return perf_ ? perf_->drain(count_max, take) : ring_->drain(count_max, take);
  }
  /// As BpfRing::pace().
  Duration pace(std::size_t drained, Duration now) { return perf_ ? kPerfPace : ring_->pace(drained, now); }
  /// Happenings, of `delivered` that came out. Kernels before 5.1 tell the program nothing of a full buffer: there all
  /// that did not come out is taken as dropped once something was.
  [[nodiscard]] KernelAccount account(std::uint64_t delivered) const;
  /// PICKET_TP_ARGV comes: PICKET_TP_CALL is not needed.
  void stop_calls();
  /// Times of records are of CLOCK_MONOTONIC, not of CLOCK_BOOTTIME.
  [[nodiscard]] bool has_old_clock() const { return perf_ != nullptr; }

 private:
  static constexpr Duration kPerfPace = Duration::minutes(5);  // every record wakes

  explicit TracepointPrograms(std::unique_ptr<AttachedTracepoints> attached);
  Result<> open_reader(std::uint32_t ring_bytes);

  std::unique_ptr<AttachedTracepoints> attached_;
  std::unique_ptr<BpfRing> ring_;  // one of the two
  std::unique_ptr<PerfRings> perf_;
  int ring_fd_ = -1;
};

}  // namespace picket::agent
