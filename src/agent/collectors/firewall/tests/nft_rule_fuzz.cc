// Claim: attributes of any bytes end in texts within their bounds; ports that come out of sets are numbers and signs.
#include <cstdlib>

#include "firewall/nft_rule.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::agent;
  if (size < 2) return 0;
  const std::uint8_t what = data[0], family = data[1];
  const Bytes attributes = std::as_bytes(std::span(data + 2, size - 2));
  if (what % 4 == 0) (void)parse_nft_table(family, attributes);
  if (what % 4 == 1) (void)parse_nft_chain(family, attributes);
  if (what % 4 == 2) {
    const auto rule = parse_nft_rule(family, attributes);
    if (!rule) return 0;
    const FirewallRule& found = rule->rule;
    if (found.details.size() > FirewallRule::kDetailsMax) std::abort();
    for (const std::string* text : {&found.source_address, &found.source_port, &found.destination_address,
                                    &found.destination_port, &found.protocol}) {
      if (text->size() > FirewallRule::kTextMax) std::abort();
    }
    for (const auto& [key, text] : found.details) {
      if (text.size() > FirewallRule::kTextMax) std::abort();
    }
  }
  if (what % 4 == 3) {
    std::vector<NftElement> elements;
    parse_nft_elements(attributes, 129, elements);
    if (elements.size() > 129) std::abort();
    const std::string ports = elements_text(NftField::destination_port, std::move(elements));
    if (ports.find_first_not_of("0123456789,-") != ports.npos) std::abort();
  }
  return 0;
}
