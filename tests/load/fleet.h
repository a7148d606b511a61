// A fleet over days, as security messages: what ./bench kql fills a workspace with. Everything is a function of the
// message's number, so that two fills are alike.
#pragma once

#include <cstdint>
#include <string>

#include "base/core/json_writer.h"
#include "base/core/time.h"

namespace picket::load {

inline constexpr std::uint32_t kFleetEventsPerMessage = 20;

struct Fleet {
  std::uint32_t devices = 2'000;
  std::uint64_t messages = 0;
  Timestamp from;
  Timestamp to;

  /// Messages come evenly from `from` to `to`.
  [[nodiscard]] Timestamp time_of(std::uint64_t message) const;
  /// "plc-0042": some devices send more than others.
  [[nodiscard]] std::string device_of(std::uint64_t message) const;
  /// Security message 3.0 of kFleetEventsPerMessage events, of what a Linux device does all day: starts and ends of
  /// processes, connections, look-ups, logins, changed files, heartbeats, scans of its configuration.
  [[nodiscard]] std::string body_of(std::uint64_t message) const;
};

}  // namespace picket::load
