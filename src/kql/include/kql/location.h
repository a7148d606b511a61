// Where an address is: a local database in MaxMind's DB format 2.0 (GeoLite2-City and those of its form), which an
// operator supplies. What geo_info_from_ip_address() reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace picket::kql {

inline constexpr std::uint64_t kLocationBytesMax = 512ULL << 20;

/// A database in memory. Unchangeable once opened, so any number of threads may ask. The bytes may be hostile: every
/// look-up is bounded in steps, and one that leaves the file finds nothing.
class LocationDatabase {
 public:
  /// Takes the bytes of a whole file. Errors: limit_exceeded (over kLocationBytesMax); malformed
  /// ("kql.location.marker", "kql.location.metadata", "kql.location.tree"): not such a database; unsupported
  /// ("kql.location.version"): another major version of the format.
  static Result<LocationDatabase> open(std::string bytes);

  /// A JSON bag with what is known of `address` (IPv4 or IPv6): country, state and city by their English names,
  /// latitude and longitude. nullopt: no address, or the database has nothing of it.
  [[nodiscard]] std::optional<std::string> find(std::string_view address) const;

  /// Of the metadata: "GeoLite2-City".
  [[nodiscard]] const std::string& type() const { return type_; }

 private:
  LocationDatabase() = default;
  [[nodiscard]] std::uint32_t child(std::uint32_t node, unsigned bit) const;

  std::string bytes_;
  std::string type_;
  std::uint32_t nodes_ = 0;
  std::uint32_t record_bits_ = 0;
  std::uint32_t ip_version_ = 0;
  std::uint32_t ipv4_start_ = 0;  ///< Where the tree of an IPv6 database keeps the addresses of IPv4.
  std::size_t data_ = 0;          ///< Where the data section starts.
};

}  // namespace picket::kql
