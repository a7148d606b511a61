// Claim: a bag that decodes encodes to a text that decodes to the same bag.
#include <cstdlib>

#include "mqtt/property_bag.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::mqtt;
  const auto bag = decode_property_bag({reinterpret_cast<const char*>(data), size});
  if (!bag) return 0;
  const auto again = decode_property_bag(encode_property_bag(*bag));
  if (!again || *again != *bag) std::abort();
  return 0;
}
