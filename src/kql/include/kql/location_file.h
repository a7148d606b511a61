// The file behind geo_info_from_ip_address(): read again when it changes. Library picket::kql_duckdb.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include <duckdb.h>

#include "base/core/result.h"
#include "kql/location.h"

namespace picket::kql {

/// The database at a path. It is held in memory whole, so a file that is overwritten while it is read harms no query.
/// Any thread.
class LocationFile {
 public:
  explicit LocationFile(std::string path) : path_(std::move(path)) {}

  /// Reads the file where its size or time of change is another one than before: one stat() otherwise. An error (io, or
  /// those of LocationDatabase::open()) leaves the database of before, and is given once: the same file is not
  /// tried again.
  Result<> refresh();
  /// nullptr: none could be read yet.
  [[nodiscard]] std::shared_ptr<const LocationDatabase> current() const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  const std::string path_;
  mutable std::mutex mutex_;
  std::shared_ptr<const LocationDatabase> current_;
  std::uint64_t seen_ = 0;  ///< Of the file that was read last, or could not be.
};

/// Registers kql_location(address) on the instance behind `connection`, beside register_kql_functions(). Without it,
/// schemas must not say that there are locations (Schema::locations).
Result<> register_location_function(duckdb_connection connection, std::shared_ptr<LocationFile> file);

}  // namespace picket::kql
