// Claims: what is read can be written and read back; a network holds its own address; adding a last rule that accepts
// everything never turns an acceptance into a rejection.
#include <cstdlib>
#include <vector>

#include "hub/ip_filter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::hub;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto newline = text.find('\n');
  const auto cidr = parse_cidr(text.substr(0, newline));
  if (!cidr) return 0;
  const auto again = parse_cidr(to_string(*cidr));
  if (!again || *again != *cidr || !cidr->contains(*cidr)) std::abort();
  const auto address = newline == std::string_view::npos ? std::string_view() : text.substr(newline + 1);
  std::vector<IpRule> rules = {{"r", IpAction::reject, *cidr}};
  const bool before = evaluate(rules, address).accepted;
  const auto host = parse_cidr(address);
  if (host && address.find('/') == std::string_view::npos && before == cidr->contains(*host)) std::abort();
  rules.push_back({"all", IpAction::accept, *parse_cidr("0.0.0.0/0")});
  if (before && !evaluate(rules, address).accepted) std::abort();
  return 0;
}
