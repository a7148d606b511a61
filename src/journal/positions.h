// The two small text files beside the segments: how far consumers have come, and which losses were accepted.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "journal/journal.h"

namespace picket::journal {

/// Content of DIR/positions.
struct Positions {
  /// First sequence not known to be durable when the file was written: fewer records than this at the start means that
  /// stored records were lost, not that a tail was torn.
  std::uint64_t durable_end = 0;
  std::map<std::string, Position, std::less<>> consumers;
};

/// A missing file is an empty one. Errors: malformed, unsupported (format), limit_exceeded, io.
Result<Positions> load_positions(const std::string& directory);
Result<> store_positions(const std::string& directory, const Positions& positions);
bool is_consumer_name(std::string_view name);

/// Content of DIR/accepted-losses.
Result<std::vector<Corruption>> load_losses(const std::string& directory);
Result<> store_losses(const std::string& directory, const std::vector<Corruption>& losses);

inline constexpr std::size_t kLossesMax = 4096;

}  // namespace picket::journal
