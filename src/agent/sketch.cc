#include "agent/sketch.h"

#include <algorithm>
#include <limits>

namespace picket::agent {
namespace {

/// Spreads a counter over all numbers: the choice of a reservoir needs no secrecy, only evenness.
std::uint64_t mix(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ value >> 27) * 0x94d049bb133111ebULL;
  return value ^ value >> 31;
}

}  // namespace

void Quantiles::add(std::uint64_t value, std::uint64_t times) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  if (times == 0) return;
  const std::uint64_t added = value > kMax / times ? kMax : value * times;
  sum_ = added > kMax - sum_ ? kMax : sum_ + added;
  if (count_ == 0) min_ = max_ = value;
  if (samples_.empty() && (value != min_ || value != max_)) {
    samples_.assign(static_cast<std::size_t>(std::min<std::uint64_t>(count_, kSamples)), min_);
  }
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  if (min_ == max_) {
    count_ += times;
    return;
  }
  if (times > kSamples) {  // a sample has no more room than that for one value
    count_ += times - kSamples;
    times = kSamples;
  }
  for (; times > 0; --times) {
    ++count_;
    if (samples_.size() < kSamples) {
      samples_.push_back(value);
    } else if (const std::uint64_t place = mix(count_) % count_; place < kSamples) {
      samples_[static_cast<std::size_t>(place)] = value;
    }
  }
}

std::uint64_t Quantiles::median() const {
  if (samples_.empty()) return min_;
  std::vector<std::uint64_t> sorted = samples_;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>((sorted.size() - 1) / 2);
  std::ranges::nth_element(sorted, middle);
  return *middle;
}

std::uint32_t GapSketch::quantise(Duration gap) {
  constexpr std::uint64_t kMax = 4'200'000'000;
  if (gap.us < 1000) return 0;
  const auto ms = static_cast<std::uint64_t>((gap.us + 999) / 1000);
  std::uint64_t unit = 1;
  while (ms / unit >= 100) unit *= 10;
  return static_cast<std::uint32_t>(std::min(kMax, (ms + unit - 1) / unit * unit));
}

void GapSketch::add(Duration gap) {
  const std::uint32_t value = quantise(gap);
  const auto at = std::ranges::lower_bound(gaps_ms_, value);
  const auto index = at - gaps_ms_.begin();
  if (at != gaps_ms_.end() && *at == value) {
    ++counts_[static_cast<std::size_t>(index)];
    return;
  }
  ++different_;
  if (gaps_ms_.size() == kGaps) {
    // Each different gap has the same chance to stay.
    const std::uint64_t place = mix(different_) % different_;
    if (place >= kGaps) return;
    gaps_ms_.erase(gaps_ms_.begin() + static_cast<std::ptrdiff_t>(place));
    counts_.erase(counts_.begin() + static_cast<std::ptrdiff_t>(place));
  }
  const auto again = std::ranges::lower_bound(gaps_ms_, value) - gaps_ms_.begin();
  gaps_ms_.insert(gaps_ms_.begin() + again, value);
  counts_.insert(counts_.begin() + again, 1);
}

}  // namespace picket::agent
