// Claim: a retro-hunt that is read is the same when it is written and read again.
#include <cstdlib>

#include "base/core/bytes.h"
#include "pipeline/indicators.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::pipeline;
  const auto hunt = parse_retro_hunt(as_text(std::as_bytes(std::span(data, size))));
  if (!hunt) return 0;
  const auto again = parse_retro_hunt(to_json(*hunt));
  if (!again || *again != *hunt) std::abort();
  return 0;
}
