// Rules of nf_tables: what a chain and a rule's expressions say (include/uapi/linux/netfilter/nf_tables.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/core/bytes.h"
#include "firewall/rule.h"

namespace picket::agent {

struct NftChain {
  std::uint8_t family = 0;  ///< NFPROTO_*
  std::string table, name;
  bool base = false;  ///< Hangs on a hook; else it is only jumped to.
  std::uint32_t hook = 0;
  std::int32_t hook_priority = 0;
  std::uint32_t policy = 1;  ///< NF_ACCEPT or NF_DROP
};
/// Reads the attributes of NFT_MSG_NEWCHAIN. nullopt: without a table or name.
std::optional<NftChain> parse_nft_chain(std::uint8_t family, Bytes attributes);

struct NftTable {
  std::uint8_t family = 0;
  std::string name;
  bool dormant = false;
};
std::optional<NftTable> parse_nft_table(std::uint8_t family, Bytes attributes);

/// Where a rule looks something up in a set; once the set's elements are known, they are put in place of "@name".
enum class NftField : std::uint8_t {
  none,
  source_address,
  destination_address,
  source_port,
  destination_port,
  protocol,
  other
};
struct NftLookup {
  NftField field;
  std::string set;
};

struct NftRule {
  std::string table, chain;
  std::uint64_t handle = 0;
  FirewallRule rule;
  std::vector<NftLookup> lookups;
};
/// Reads the attributes of NFT_MSG_NEWRULE and interprets its expressions. nullopt: without a table or chain.
std::optional<NftRule> parse_nft_rule(std::uint8_t family, Bytes attributes);

/// One element of a set as the kernel lists them.
struct NftElement {
  std::vector<std::byte> key, key_end;  ///< key_end: of a concatenated range; mostly empty
  bool interval_end = false;            ///< The first key after an interval.
};
/// Appends the elements in NFT_MSG_NEWSETELEM, up to `elements_max` in all.
void parse_nft_elements(Bytes attributes, std::size_t elements_max, std::vector<NftElement>& out);
/// "22,80,1000-2000" of elements in any order; empty: they are of no kind that a field shows.
std::string elements_text(NftField field, std::vector<NftElement> elements);

/// "ip", "ip6", "inet", "arp", "bridge", "netdev".
std::string_view family_name(std::uint8_t family);

}  // namespace picket::agent
