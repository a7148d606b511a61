// Claim: entries of any bytes end in an error or in rules whose chains have names of the table, and never past the end.
#include <cstdlib>
#include <cstring>

#include "firewall/xtables.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::agent;
  constexpr std::size_t kHead = 1 + 4 + 20 + 20;
  if (size < kHead) return 0;
  XtInfo info;
  std::memcpy(&info.valid_hooks, data + 1, 4);
  std::memcpy(info.begin.data(), data + 5, 20);
  std::memcpy(info.policy.data(), data + 25, 20);
  // A copy of exact size: reading past it is seen.
  const Bytes all = std::as_bytes(std::span(data + kHead, size - kHead));
  const Buffer entries(all.begin(), all.end());
  FirewallPicture picture;
  const XtFamily family = data[0] % 2 == 0 ? XtFamily::ipv4 : XtFamily::ipv6;
  const auto read = parse_xt_entries(family, "filter", info, entries, picture);
  if (!read && read.error().offset > entries.size()) std::abort();
  if (picture.rules.size() > entries.size() / 112) std::abort();
  for (const PlacedRule& rule : picture.rules) {
    if (rule.identity.empty() || rule.rule.details.empty()) std::abort();
  }
  return 0;
}
