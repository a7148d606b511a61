// How many different values were seen within a sliding window of event time: hosts that one port was tried on, names
// that one address tried, and so on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detector.h"
#include "state_part.h"

namespace picket::pipeline {

/// One value at one time.
struct SeenValue {
  std::int64_t bucket = 0;  ///< Number of the window's 32nd part in which it was seen.
  std::string value;
  bool reported = false;
  EvidenceRow evidence;  ///< The earliest row that told of it in this bucket before it was reported.

  friend bool operator<(const SeenValue& a, const SeenValue& b) {
    return a.bucket != b.bucket ? a.bucket < b.bucket : a.value < b.value;
  }
};

/// Times are rounded down to 32nd parts of the window, so that the same records give the same content in any order, and
/// a value that is seen all the time costs a bounded number of entries. A window is therefore up to 1/32 longer than
/// asked for. Values that come later than `lateness` behind the newest are left out.
class DistinctWindow {
 public:
  static constexpr std::int64_t kBuckets = 32;
  static constexpr std::size_t kSightingsMax = 256;  ///< The oldest goes when there are more.

  struct Bounds {
    Duration window;
    Duration lateness = Duration::hours(1);
    std::size_t values_min = 2;         ///< So many different ones are a finding.
    std::size_t value_bytes_max = 128;  ///< Longer values are cut.
  };

  /// Notes that `value` was seen from `first` to `last`. Returns how many entries had to go.
  std::size_t add(const Bounds& bounds, std::string_view value, Timestamp first, Timestamp last,
                  const EvidenceRow& evidence);
  /// Sightings in some window with enough values that were not told before; they are marked. By time.
  [[nodiscard]] std::vector<SeenValue> report(const Bounds& bounds);
  /// Different values in the newest window.
  [[nodiscard]] std::size_t values() const;
  [[nodiscard]] bool empty() const { return sightings_.empty(); }
  /// Different values of all that is remembered, at most `count`.
  [[nodiscard]] std::vector<std::string> names(std::size_t count) const;

  Timestamp last;  ///< Enqueued time of the newest record.

  void encode(ByteWriter& out) const;
  static Result<DistinctWindow> decode(Cursor& in);

 private:
  std::vector<SeenValue> sightings_;  ///< Sorted.
};

/// Begin of a bucket.
Timestamp bucket_time(const DistinctWindow::Bounds& bounds, std::int64_t bucket);

/// Puts the sightings into a finding: its times, its count and its evidence.
void add_sightings(Finding& finding, const DistinctWindow::Bounds& bounds, const std::vector<SeenValue>& sightings);

}  // namespace picket::pipeline
