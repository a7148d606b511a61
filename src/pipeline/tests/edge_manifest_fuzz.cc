// Claim: whatever is uploaded as a manifest, the analysis ends, is the same a second time, and stays within its bounds.
#include <cstdlib>

#include "base/core/bytes.h"
#include "hub_rules/edge_manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::pipeline;
  const auto text = as_text(std::as_bytes(std::span(data, size)));
  const auto once = analyse_edge_manifest(text);
  const auto again = analyse_edge_manifest(text);
  if (once.has_value() != again.has_value()) std::abort();
  if (once && (once->settings != again->settings || once->settings.size() > kEdgeModulesMax)) std::abort();
  return 0;
}
