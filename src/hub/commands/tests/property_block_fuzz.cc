// Claim: what decodes encodes to the same bytes.
#include <cstdlib>

#include "base/core/bytes.h"
#include "property_block.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view block(reinterpret_cast<const char*>(data), size);
  const auto properties = picket::hub::decode_properties(block);
  if (properties && picket::hub::encode_properties(*properties) != block) std::abort();
  return 0;
}
