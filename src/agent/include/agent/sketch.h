// Small summaries of many numbers: what the server needs for beacon and size arithmetic, in bounded memory.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/core/time.h"

namespace picket::agent {

/// Minimum, maximum and sum exactly; the median of a sample of kSamples values, exact up to that many.
/// Deterministic: the same numbers in the same order give the same sample.
class Quantiles {
 public:
  static constexpr std::size_t kSamples = 16;

  /// `times` values of `value`; for values that only their sum is known of, their mean.
  void add(std::uint64_t value, std::uint64_t times = 1);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t sum() const { return sum_; }  ///< Stops at the largest number.
  [[nodiscard]] std::uint64_t min() const { return min_; }
  [[nodiscard]] std::uint64_t max() const { return max_; }
  /// The lower of the two middle ones when their number is even; 0 without values.
  [[nodiscard]] std::uint64_t median() const;
  [[nodiscard]] std::size_t memory_bytes() const { return samples_.capacity() * sizeof(std::uint64_t); }

 private:
  std::uint64_t count_ = 0, sum_ = 0, min_ = 0, max_ = 0;
  std::vector<std::uint64_t> samples_;  ///< None while all values are equal.
};

/// Up to kGaps different gaps between happenings, each rounded up to two significant digits of milliseconds, with how
/// often it came. When there were more different ones it is a sample of them.
class GapSketch {
 public:
  static constexpr std::size_t kGaps = 32;

  void add(Duration gap);
  [[nodiscard]] std::span<const std::uint32_t> gaps_ms() const { return gaps_ms_; }  ///< Ascending.
  [[nodiscard]] std::span<const std::uint32_t> counts() const { return counts_; }    ///< Parallel to gaps_ms().
  [[nodiscard]] std::size_t memory_bytes() const { return gaps_ms_.capacity() * 2 * sizeof(std::uint32_t); }

  /// 0 below 1 ms, else rounded up to two significant digits; at most 4,200,000,000.
  static std::uint32_t quantise(Duration gap);

 private:
  std::vector<std::uint32_t> gaps_ms_, counts_;
  std::uint64_t different_ = 0;
};

}  // namespace picket::agent
