// Claim: a body that is taken gives a resource that reads back as the same group.
#include <cstdlib>

#include "base/core/bytes.h"
#include "pipeline/security_group.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::pipeline;
  const auto text = as_text(std::as_bytes(std::span(data, size)));
  if (const auto duration = parse_iso_duration(text)) {
    const auto again = parse_iso_duration(format_iso_duration(*duration));
    if (!again || again->us != duration->us) std::abort();
  }
  const auto group = parse_security_group(text);
  if (!group) return 0;
  const auto again = parse_security_group(security_group_resource(*group, "/hub", "name"));
  if (!again || again->rules != group->rules) std::abort();
  return 0;
}
