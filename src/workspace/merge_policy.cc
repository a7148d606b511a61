#include "merge_policy.h"

#include <algorithm>

namespace picket::workspace {
namespace {

constexpr std::uint64_t kSmallestClassRows = 1'000;

/// A run that the next segment would make too large is as good as full when it at least doubles its largest segment:
/// else segments of a quarter of rows_max would stay as they are for ever. Doubling bounds how often a row is
/// rewritten.
bool is_full(std::span<const SegmentInfo> run, std::uint64_t rows, const MergePolicy& policy) {
  if (run.size() < 2 || rows < policy.rows_max / 2) return false;
  return std::ranges::all_of(run, [&](const SegmentInfo& segment) { return 2 * segment.rows() <= rows; });
}

/// Smaller ones count where they lie between segments of the class, but not behind the last of them: there a run of
/// their own still grows, and taking them one by one would rewrite the large ones each time.
std::optional<MergeRun> choose_in_class(std::span<const SegmentInfo> segments, const MergePolicy& policy,
                                        std::uint32_t k) {
  const auto class_of = [&](const SegmentInfo& segment) { return size_class(segment.rows(), policy.fan_in); };
  std::size_t end = segments.size();
  while (end > 0 && class_of(segments[end - 1]) < k) --end;
  MergeRun run;
  std::uint64_t rows = 0;
  for (std::size_t i = 0; i < end; ++i) {
    const std::uint64_t here = segments[i].rows();
    if (class_of(segments[i]) > k || here > policy.rows_max) {
      run = {i + 1, 0};
      rows = 0;
      continue;
    }
    if (rows + here > policy.rows_max && is_full(segments.subspan(run.begin, run.count), rows, policy)) return run;
    rows += here;
    ++run.count;
    for (; rows > policy.rows_max; --run.count) rows -= segments[run.begin++].rows();
    if (run.count == policy.fan_in) return run;
  }
  return std::nullopt;
}

}  // namespace

std::uint32_t size_class(std::uint64_t rows, std::uint32_t fan_in) {
  std::uint32_t out = 0;
  for (std::uint64_t n = rows / kSmallestClassRows; n != 0; n /= fan_in) ++out;
  return out;
}

std::optional<MergeRun> choose_merge(std::span<const SegmentInfo> segments, const MergePolicy& policy) {
  if (policy.fan_in < 2 || segments.size() < 2) return std::nullopt;
  const std::uint32_t classes = size_class(policy.rows_max, policy.fan_in);
  for (std::uint32_t k = 0; k <= classes; ++k) {
    if (const auto run = choose_in_class(segments, policy, k)) return run;
  }
  return std::nullopt;
}

}  // namespace picket::workspace
