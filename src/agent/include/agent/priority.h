// How soon a record has to leave the device.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace picket::agent {

/// In the order of worth: what is lower is evicted first. `urgent` leaves at once; the others with their interval.
enum class Priority : std::uint8_t { low = 0, medium = 1, high = 2, urgent = 3 };
inline constexpr std::size_t kPriorities = 4;

constexpr std::string_view to_string(Priority priority) {
  constexpr std::string_view names[] = {"low", "medium", "high", "urgent"};
  return names[static_cast<std::size_t>(priority) % kPriorities];
}
constexpr std::optional<Priority> parse_priority(std::string_view name) {
  for (std::uint8_t i = 0; i < kPriorities; ++i) {
    if (to_string(static_cast<Priority>(i)) == name) return static_cast<Priority>(i);
  }
  return std::nullopt;
}

}  // namespace picket::agent
