// Writes a small database in MaxMind's format, for tests.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace picket::kql::testing {

struct LocationEntry {
  std::string network;  ///< "20.53.0.0/16" or "2a03:2880::/32"
  std::string country, state, city;
  double latitude = 0, longitude = 0;
};

/// An IPv6 database of `record_bits` (24, 28 or 32) a record.
std::string write_locations(const std::vector<LocationEntry>& entries, unsigned record_bits = 28);

/// The two places of the documentation's examples.
std::vector<LocationEntry> documented_locations();

}  // namespace picket::kql::testing
