// Claim: a list that is read and written again is read as the same list.
#include <cstdlib>

#include "base/core/encoding.h"
#include "block_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  const auto ids = hub::parse_block_list({reinterpret_cast<const char*>(data), size});
  if (!ids) return 0;
  std::string again = "<BlockList>";
  for (const auto& id : *ids) again += "<Latest>" + to_base64(as_bytes(id)) + "</Latest>";
  const auto second = hub::parse_block_list(again + "</BlockList>");
  if (!second || *second != *ids) std::abort();
  return 0;
}
