// Claims: what is read is within its bounds; reading it again gives the same.
#include <cstdlib>

#include "batch_json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::hub;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto batch = parse_batch(text);
  if (!batch) return 0;
  const auto again = parse_batch(text);
  if (!again || again->size() != batch->size() || batch->size() > kBatchMessagesMax) std::abort();
  for (std::size_t i = 0; i < batch->size(); ++i) {
    const auto& message = (*batch)[i];
    if (message.body != (*again)[i].body || message.properties != (*again)[i].properties) std::abort();
    if (message.body.size() > size || message.properties.properties().size() > picket::mqtt::kPropertiesMax)
      std::abort();
    for (const auto& property : message.properties.properties()) {
      if (property.name.empty()) std::abort();
    }
  }
  return 0;
}
