// Which events the spool has lost: a message holds those of many collectors.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "agent/spool.h"

namespace picket::agent {

/// Counts the events of lost messages by "lost: NAME". Bounded; a name that does not fit counts as "lost: other". One
/// thread.
class LostEvents final : public SpoolLossSink {
 public:
  /// A map, so that keys stay where they are.
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;
  static constexpr std::size_t kNamesMax = 48;
  static constexpr std::size_t kNameBytesMax = 40;

  /// Encoded events joined by commas, as the outbox makes them.
  void lost(Bytes batch) override;
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  void count(std::string_view name);
  Counts counts_;
};

}  // namespace picket::agent
