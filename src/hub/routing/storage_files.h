// Files of a storage endpoint: one open per hub and partition, finished after a time or a size.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>

#include "base/core/file.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "hub/routing_config.h"

namespace picket::hub {

/// One thread. A file has the end ".part" until it is finished; what a crash leaves is finished at the next start.
class StorageFiles {
 public:
  explicit StorageFiles(std::string directory) : directory_(std::move(directory)) {}

  /// Finishes what an earlier run left. Returns how many.
  Result<std::uint64_t> recover();
  /// Adds a line. On an error nothing of it stays in the file.
  Result<> append(const StorageEndpoint& endpoint, std::string_view hub, std::uint16_t partition, Timestamp now,
                  std::string_view line);
  /// Everything appended is on the disk afterwards.
  Result<> sync();
  /// Finishes files that are due; returns how many.
  Result<std::uint64_t> finish_due(Timestamp now);
  Result<std::uint64_t> finish_all();

 private:
  struct Open {
    std::string path;  ///< Without ".part".
    UniqueFd fd;
    std::uint64_t bytes = 0;
    std::uint64_t bytes_max = 0;
    Timestamp due;
    bool dirty = false;
  };
  using Key = std::tuple<std::string, std::string, std::uint16_t>;  // endpoint, hub, partition
  Result<Open> open(const StorageEndpoint& endpoint, std::string_view hub, std::uint16_t partition,
                    Timestamp now) const;
  static Result<> finish(Open& file);

  std::string directory_;
  std::map<Key, Open> open_;
};

}  // namespace picket::hub
