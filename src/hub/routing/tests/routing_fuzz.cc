// Claim: a configuration that is taken reads back as itself.
#include <cstdlib>

#include "base/core/bytes.h"
#include "hub/routing_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = picket::hub::parse_routing({reinterpret_cast<const char*>(data), size});
  if (!parsed) return 0;
  const std::string text = picket::hub::to_json(*parsed);
  const auto again = picket::hub::parse_routing(text);
  if (!again || picket::hub::to_json(*again) != text) std::abort();
  return 0;
}
