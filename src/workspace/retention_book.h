// How long each table is kept: what operators set, else what the options say of it, else what its stream says.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "workspace/workspace.h"

namespace picket::workspace {

/// Thread-safe.
class RetentionBook {
 public:
  RetentionBook(const Schema& schema, const std::vector<StreamOptions>& streams,
                const std::map<std::string, TableRetention, std::less<>>& tables,
                std::map<std::string, TableRetention, std::less<>> set = {});

  /// Of a table that the schema does not know: no limit.
  [[nodiscard]] TableRetention of(std::string_view table) const;
  /// nullopt: as the options say, or its stream.
  void set(std::string_view table, std::optional<TableRetention> retention);
  /// Bytes that a stream may take on disk; 0: no limit.
  [[nodiscard]] std::uint64_t bytes_max(std::string_view stream) const;

 private:
  std::map<std::string, TableRetention, std::less<>> defaults_;  ///< By table; fixed after construction.
  std::map<std::string, std::uint64_t, std::less<>> bytes_max_;  ///< By stream; fixed after construction.
  mutable std::mutex mutex_;
  std::map<std::string, TableRetention, std::less<>> set_;
};

}  // namespace picket::workspace
