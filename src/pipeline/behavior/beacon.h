// How much the connections to one destination look like those of a program that calls home by the clock: the score of
// RITA v5 (spec: detection, beacon score). Pure.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <vector>

namespace picket::pipeline {

/// Values and how often each occurred.
using Histogram = std::map<std::uint64_t, std::uint64_t>;

/// What was seen of one destination within a day.
struct BeaconSample {
  Histogram gaps_ms;                      ///< Times between successive connections, ms.
  Histogram sizes;                        ///< Bytes sent by each.
  std::array<std::uint64_t, 24> hours{};  ///< Connections in each hour, oldest first.
  std::uint64_t connections = 0;
};

/// Each from 0 to 1.
struct BeaconScore {
  double timing = 0;
  double size = 0;
  double duration = 0;
  double histogram = 0;
  [[nodiscard]] double total() const { return (timing + size + duration + histogram) / 4; }
};

/// All 0 with fewer than 4 connections or 3 gaps that are not zero.
BeaconScore score_beacon(const BeaconSample& sample);

/// Mean of 1 - |Bowley skew| and (median - MAD)/median. `unit` divides the values first: quartiles nearer than 10
/// after that count as no skew.
double regularity(const Histogram& values, double unit);

}  // namespace picket::pipeline
