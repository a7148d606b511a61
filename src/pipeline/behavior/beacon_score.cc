#include <algorithm>
#include <cmath>
#include <numeric>

#include "behavior/beacon.h"

namespace picket::pipeline {
namespace {

constexpr std::uint64_t kConnectionsMin = 4;
constexpr std::uint64_t kGapsMin = 3;
constexpr double kSpreadMin = 10;  ///< A smaller interquartile range says nothing about skew.
constexpr std::size_t kHoursMin = 6;
constexpr double kRunFull = 12;  ///< Hours in a row that are as good as the whole window.
constexpr std::size_t kBimodalHoursMin = 11;
constexpr double kBimodalBin = 0.05;  ///< Of the busiest hour.

std::uint64_t count_of(const Histogram& values) {
  return std::accumulate(values.begin(), values.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& entry) { return sum + entry.second; });
}

/// The value at a share of the sorted list.
double quantile(const Histogram& values, std::uint64_t count, double share) {
  const double rank = share * static_cast<double>(count - 1);
  std::uint64_t before = 0;
  for (const auto& [value, times] : values) {
    before += times;
    if (static_cast<double>(before - 1) >= rank) return static_cast<double>(value);
  }
  return static_cast<double>(values.rbegin()->first);
}

/// Share of the window that is active, or the longest run of active hours.
double duration_score(const BeaconSample& sample) {
  std::size_t active = 0;
  std::size_t run = 0;
  std::size_t longest = 0;
  for (const std::uint64_t hour : sample.hours) {
    run = hour > 0 ? run + 1 : 0;
    active += hour > 0 ? 1 : 0;
    longest = std::max(longest, run);
  }
  if (active < kHoursMin) return 0;
  return std::min(1.0, std::max(static_cast<double>(active) / static_cast<double>(sample.hours.size()),
                                static_cast<double>(longest) / kRunFull));
}

/// How much of the activity lies in one or two levels: programs that call home at one pace by day and another by night.
double bimodal_fit(const BeaconSample& sample, std::uint64_t busiest, std::size_t active) {
  if (active < kBimodalHoursMin) return 0;
  const double bin = std::max(1.0, static_cast<double>(busiest) * kBimodalBin);
  Histogram levels;
  for (const std::uint64_t hour : sample.hours) {
    if (hour > 0) ++levels[static_cast<std::uint64_t>(static_cast<double>(hour) / bin)];
  }
  std::vector<std::uint64_t> times;
  for (const auto& [level, count] : levels) times.push_back(count);
  std::ranges::sort(times, std::greater<>{});
  const std::uint64_t two = times[0] + (times.size() > 1 ? times[1] : 0);
  // One hour may be an outlier, as the first and last of the window are cut.
  return std::min(1.0, static_cast<double>(two) / static_cast<double>(active - 1));
}

double histogram_score(const BeaconSample& sample) {
  const std::uint64_t sum = std::accumulate(sample.hours.begin(), sample.hours.end(), std::uint64_t{0});
  if (sum == 0) return 0;
  const double mean = static_cast<double>(sum) / static_cast<double>(sample.hours.size());
  double variance = 0;
  for (const std::uint64_t hour : sample.hours) variance += std::pow(static_cast<double>(hour) - mean, 2);
  const double deviation = std::sqrt(variance / static_cast<double>(sample.hours.size()));
  const auto active = static_cast<std::size_t>(std::ranges::count_if(sample.hours, [](auto hour) { return hour > 0; }));
  return std::max(std::max(0.0, 1 - deviation / mean),
                  bimodal_fit(sample, *std::ranges::max_element(sample.hours), active));
}

}  // namespace

double regularity(const Histogram& values, double unit) {
  const std::uint64_t count = count_of(values);
  if (count == 0) return 0;
  const double low = quantile(values, count, 0.25);
  const double median = quantile(values, count, 0.5);
  const double high = quantile(values, count, 0.75);
  double skew = 0;
  if ((high - low) / unit >= kSpreadMin && median != low && median != high) {
    skew = (high + low - 2 * median) / (high - low);
  }
  Histogram apart;
  for (const auto& [value, times] : values) {
    apart[static_cast<std::uint64_t>(std::fabs(static_cast<double>(value) - median))] += times;
  }
  const double deviation = quantile(apart, count, 0.5);
  const double closeness = median > 0 ? std::max(0.0, (median - deviation) / median) : 0;
  return ((1 - std::fabs(skew)) + closeness) / 2;
}

BeaconScore score_beacon(const BeaconSample& sample) {
  Histogram gaps = sample.gaps_ms;
  gaps.erase(0);
  if (sample.connections < kConnectionsMin || count_of(gaps) < kGapsMin) return {};
  return {.timing = regularity(gaps, 1000),
          .size = regularity(sample.sizes, 1),
          .duration = duration_score(sample),
          .histogram = histogram_score(sample)};
}

}  // namespace picket::pipeline
