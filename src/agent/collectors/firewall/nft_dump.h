// All rules of nf_tables, asked for over netlink.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/core/file.h"
#include "base/core/result.h"
#include "firewall/nft_rule.h"

namespace picket::agent {

/// A rule with the place it has: of its own, or a base chain's policy, which is its last rule.
struct PlacedRule {
  std::string identity;  ///< Names it among all rules of this device.
  FirewallRule rule;
};

struct FirewallPicture {
  std::vector<PlacedRule> rules;
  std::uint64_t past_bounds = 0;  ///< Rules that were not taken.
};
/// Rules that one picture holds, of all filters together; their tables and chains are bounded alike.
inline constexpr std::size_t kFirewallRulesMax = 2048;

/// Asks the kernel for tables, chains, rules and the small sets that rules refer to. Holds one socket; its answers are
/// made by the kernel within the call, so nothing is waited for.
class NftDump {
 public:
  static constexpr std::size_t kTablesMax = 256;
  static constexpr std::size_t kChainsMax = 1024;
  static constexpr std::size_t kSetsMax = 256;         ///< Asked for in one picture.
  static constexpr std::size_t kElementsMax = 64;      ///< A set with more stays "@name".
  static constexpr std::size_t kMessagesMax = 65'536;  ///< Of one dump; then the rest is not read.

  /// Errors: io (no netlink of this kind, not allowed).
  static Result<NftDump> open();
  /// Appends all rules in order of evaluation within their chain. Errors: io; unavailable (changed under our hands
  /// thrice).
  Result<> read(FirewallPicture& out);

 private:
  explicit NftDump(UniqueFd fd);
  using Each = std::function<void(std::uint8_t family, Bytes attributes)>;
  Result<> read_once(FirewallPicture& out);
  /// One dump. `attributes`: of the request.
  Result<> dump(std::uint16_t message, std::uint8_t family, Bytes attributes, const Each& each);
  Result<> reconnect();
  std::string elements_of(std::uint8_t family, const std::string& table, const NftLookup& lookup);

  UniqueFd fd_;
  Buffer buffer_;
  std::uint32_t sequence_ = 0;
  bool interrupted_ = false;  ///< The rules changed during a dump.
};

/// A socket that wakes when nf_tables change. Errors: io.
Result<UniqueFd> open_nft_monitor();
/// Takes what waits, bounded. True: something changed, or notices were lost.
bool drain_nft_monitor(int fd);

}  // namespace picket::agent
