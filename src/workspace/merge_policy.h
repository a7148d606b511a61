// Which neighbouring segments become one.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "manifest.h"

namespace picket::workspace {

struct MergePolicy {
  std::uint32_t fan_in = 8;
  std::uint64_t rows_max = 4U << 20;
};

struct MergeRun {
  std::size_t begin = 0;  ///< Index of the first segment.
  std::size_t count = 0;

  friend bool operator==(const MergeRun&, const MergeRun&) = default;
};

/// Size class of a segment: 0 below 1,000 rows, then one more each time the rows grow fan_in-fold.
std::uint32_t size_class(std::uint64_t rows, std::uint32_t fan_in);

/// The smallest class that has a run of `fan_in` neighbours of at most this class, or of fewer that fill rows_max at
/// least by half and could take no more, and there the oldest run. Its rows stay within rows_max; `fan_in` at least 2.
/// Each row is so rewritten at most once a class, and once or twice more at the top. nullopt: nothing is to do.
std::optional<MergeRun> choose_merge(std::span<const SegmentInfo> segments, const MergePolicy& policy);

}  // namespace picket::workspace
