// Small readings of events that several detectors need.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "detector.h"
#include "state_part.h"

namespace picket::pipeline {

/// First and last happening of an aggregated record.
struct TimeSpan {
  Timestamp first;
  Timestamp last;
};
inline TimeSpan span_of(const DetectorEvent& event) {
  const Timestamp first = event.timestamp(message::Field::StartTimeUtc, event.time);
  return {first, std::max(first, event.timestamp(message::Field::EndTimeUtc, first))};
}

/// How many happenings the record stands for, and how many of them failed.
inline std::uint64_t hits_of(const DetectorEvent& event) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(1, event.integer(message::Field::HitCount, 1)));
}
inline std::uint64_t failures_of(const DetectorEvent& event) {
  const auto result = event.text(message::Field::Result);
  const bool failed = result.starts_with("Fail") || result.starts_with("fail");
  const std::uint64_t hits = hits_of(event);
  const std::int64_t said = event.integer(message::Field::FailCount, failed ? static_cast<std::int64_t>(hits) : 0);
  return std::min(hits, static_cast<std::uint64_t>(std::max<std::int64_t>(0, said)));
}

/// Key of what belongs to one generation of one device.
template <std::convertible_to<std::string_view>... Parts>
std::string device_key(const DetectorEvent& event, const Parts&... parts) {
  return state_key(event.device.hub, event.device.device_id, event.device.generation_id, parts...);
}

/// One address has one spelling: "::ffff:192.0.2.1" is "192.0.2.1", and hex digits are lower case.
inline std::string normal_address(std::string_view address) {
  std::string out(address);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (out.starts_with("::ffff:") && out.find('.') != std::string::npos) out.erase(0, 7);
  return out;
}

inline bool is_loopback(std::string_view address) { return address.starts_with("127.") || address == "::1"; }

/// "/usr/bin/wget" -> "wget".
inline std::string_view file_name_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// Joined with ", " for people.
template <class List>
std::string joined(const List& list) {
  std::string out;
  for (const auto& entry : list) {
    if (!out.empty()) out += ", ";
    out += entry;
  }
  return out;
}

}  // namespace picket::pipeline
