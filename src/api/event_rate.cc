#include "api/event_rate.h"

namespace picket::api {
namespace {

constexpr std::int64_t kMinuteUs = 60'000'000;
constexpr std::int64_t kSecondUs = 1'000'000;
constexpr std::int64_t kMeanSeconds = 5;

template <class Slots>
void count_in(Slots& slots, std::int64_t index, std::uint64_t events) {
  auto& slot = slots[static_cast<std::size_t>(index) % slots.size()];
  if (slot.index > index) return;  // older than the ring
  if (slot.index < index) slot = {index, 0};
  slot.count += events;
}

template <class Slots>
std::uint64_t count_of(const Slots& slots, std::int64_t index) {
  const auto& slot = slots[static_cast<std::size_t>(index) % slots.size()];
  return slot.index == index ? slot.count : 0;
}

}  // namespace

void EventRate::add(Timestamp taken_in, std::uint64_t events) {
  if (taken_in.us < 0) return;
  const std::scoped_lock lock(mutex_);
  count_in(minutes_, taken_in.us / kMinuteUs, events);
  count_in(seconds_, taken_in.us / kSecondUs, events);
}

std::vector<MinuteCount> EventRate::per_minute(Timestamp now) const {
  std::vector<MinuteCount> out;
  const std::int64_t newest = now.us / kMinuteUs;
  const std::scoped_lock lock(mutex_);
  for (std::int64_t index = newest - static_cast<std::int64_t>(kMinutes) + 1; index <= newest; ++index) {
    out.push_back({{index * kMinuteUs}, count_of(minutes_, index)});
  }
  return out;
}

double EventRate::per_second(Timestamp now) const {
  const std::int64_t current = now.us / kSecondUs;
  std::uint64_t events = 0;
  const std::scoped_lock lock(mutex_);
  for (std::int64_t index = current - kMeanSeconds; index < current; ++index) events += count_of(seconds_, index);
  return static_cast<double>(events) / static_cast<double>(kMeanSeconds);
}

}  // namespace picket::api
