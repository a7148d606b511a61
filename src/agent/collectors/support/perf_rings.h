// Reader of a BPF perf event array: a buffer for each CPU, on kernels that have no ring buffer (before 5.8).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/file.h"
#include "base/core/result.h"

namespace picket::agent {

/// One thread. Every record wakes the reader: these kernels cannot be told when it sleeps.
class PerfRings {
 public:
  /// Longest record that is read; longer ones, and what is damaged, count as lost.
  static constexpr std::size_t kRecordBytesMax = 32 << 10;

  /// Makes a buffer of `bytes` (a power of two, at least a page) for each CPU that is on, and puts it into the map.
  /// CPUs that come later have none. Errors: io.
  static Result<std::unique_ptr<PerfRings>> create(const UniqueFd& map, std::uint32_t bytes);
  ~PerfRings();
  PerfRings(const PerfRings&) = delete;
  PerfRings& operator=(const PerfRings&) = delete;

  [[nodiscard]] std::span<const int> fds() const { return fds_; }

  /// Gives up to `count_max` records to `take`, the oldest of all CPUs first; a record is valid during the call only.
  /// Returns how many.
  template <class Take>
  std::size_t drain(std::size_t count_max, Take&& take) {
    std::size_t count = 0;
    Bytes record;
    for (; count < count_max && next(record); ++count) take(record);
    return count;
  }

  /// Records that found a buffer full, as the kernel tells it in the buffer, and those that could not be read.
  [[nodiscard]] std::uint64_t lost() const { return lost_; }

 private:
  struct Ring {
    UniqueFd event;
    void* pages = nullptr;  // the kernel's page of positions, then the data
  };

  explicit PerfRings(std::uint32_t bytes) : bytes_(bytes) {}
  bool next(Bytes& record);
  /// Time of the next sample of a ring; skips what is none. 0: there is none.
  std::uint64_t peek(Ring& ring);
  void copy(const Ring& ring, std::uint64_t at, std::span<std::byte> out) const;

  std::uint32_t bytes_;
  std::vector<Ring> rings_;
  std::vector<int> fds_;
  std::vector<std::byte> record_;
  std::uint64_t lost_ = 0;
};

}  // namespace picket::agent
