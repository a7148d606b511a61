// Who sent something: stamped by the hub after authentication, never taken from a payload.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace picket {

/// Key of everything a device sends. Strings are case-sensitive and literal: they may hold '#', '+', '/', '%', '$'.
/// `generation_id` tells a device from a later one of the same name; `module_id` is empty for the device itself.
struct Identity {
  std::string hub;
  std::string device_id;
  std::string module_id;
  std::string generation_id;

  friend auto operator<=>(const Identity&, const Identity&) = default;
  friend bool operator==(const Identity&, const Identity&) = default;
};

/// Partitions of the journal. Fixed for ever: the number is part of every record.
inline constexpr std::uint16_t kPartitions = 16;

/// The partition of an identity: a hash of hub, device and module, so that one sender's records stay in order.
/// The generation is left out: a device that was made anew goes on in the same partition.
std::uint16_t partition_of(const Identity& identity);

/// "device" or "device/module": for logs and messages to people.
std::string display_name(const Identity& identity);

}  // namespace picket
