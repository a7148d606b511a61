// Rules of the older ip_tables and ip6_tables, read from the kernel as iptables-legacy reads them.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <netinet/in.h>  // here, so that the kernel's headers behind this one leave its types out

#include "base/core/bytes.h"
#include "base/core/file.h"
#include "base/core/result.h"
#include "firewall/nft_dump.h"
#include "firewall/rule.h"

namespace picket::agent {

enum class XtFamily : std::uint8_t { ipv4, ipv6 };

/// What IPT_SO_GET_INFO says of a table: where its built-in chains begin and end in the entries.
struct XtInfo {
  static constexpr std::size_t kHooks = 5;
  std::uint32_t valid_hooks = 0;  ///< Bit n: hook n has a chain.
  std::uint32_t entries = 0;
  std::array<std::uint32_t, kHooks> begin{}, policy{};  ///< Offsets of the first entry and of the policy.
};

/// Appends the rules of one table from its entries (struct ipt_entry or ip6t_entry, one after another). Errors:
/// malformed (an offset leaves its entry); the rules before it are kept.
Result<> parse_xt_entries(XtFamily family, std::string_view table, const XtInfo& info, Bytes entries,
                          FirewallPicture& out);

/// The tables that exist; looking at others would make them. From proc/net/ip_tables_names.
std::vector<std::string> xt_tables(const std::string& procfs, XtFamily family);

/// Two sockets for getsockopt(); a family that the kernel does not have has none.
class XtDump {
 public:
  static constexpr std::size_t kTableBytesMax = 4 << 20;

  explicit XtDump(std::string procfs) : procfs_(std::move(procfs)) {}
  /// Appends all rules of both families. Errors: io (not allowed).
  Result<> read(FirewallPicture& out);

 private:
  Result<> read_table(XtFamily family, const std::string& table, FirewallPicture& out);
  std::string procfs_;
};

}  // namespace picket::agent
