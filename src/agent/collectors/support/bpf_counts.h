// What a full ring refused, as its program counted it in the kernel (bpf/event.h, "Overload").
#pragma once

#include <cstdint>

#include "base/core/time.h"
#include "programs.h"

namespace picket::agent {

/// Takes the places out, one by one. What is counted while we read is either in what we take, or left for the next
/// time, or (a count between the copy and the removal) only in the account as dropped: never twice. The table's size is
/// fixed: the ring's bytes / PICKET_RING_BYTES_A_COUNT places.
class BpfCounts {
 public:
  explicit BpfCounts(const picket_bpf& bpf) : fd_(bpf.counts_fd), counted_(bpf.counted) {}

  /// Delay until take() is worth its system calls again: nothing was counted since (long), or it was a moment ago.
  [[nodiscard]] Duration wait(Duration now) const {
    if (*counted_ == counted_then_) return kNever;
    return taken_at_ + kPause - now;
  }

  /// Gives all places to `take(key, value)`; at most kPlacesMax of them.
  template <class Key, class Value, class Take>
  void take(Duration now, Take&& act) {
    counted_then_ = *counted_;  // before we look: what comes later is for the next time
    taken_at_ = now;
    Key key;
    Value value;
    for (int i = 0; i < kPlacesMax && take_one(&key, &value); ++i) act(key, value);
  }

 private:
  static constexpr Duration kNever = Duration::hours(1);
  static constexpr Duration kPause = Duration::seconds(1);
  static constexpr int kPlacesMax = 16'384;

  bool take_one(void* key, void* value) const;

  int fd_;
  const volatile __u64* counted_;
  std::uint64_t counted_then_ = 0;
  Duration taken_at_ = Duration{} - kPause;
};

}  // namespace picket::agent
