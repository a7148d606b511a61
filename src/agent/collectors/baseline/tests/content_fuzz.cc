// Claim: no bytes, taken for rules, do more than come to a verdict; and patterns end.
#include <cstdlib>
#include <string>

#include "baseline/run.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::agent::baseline;
  static const auto root = Root::open("/proc/self/fdinfo");  // a small folder without configuration
  if (!root) std::abort();
  const picket::Bytes bytes = std::as_bytes(std::span(data, size));
  if (size <= Pattern::kProgramBytesMax) {
    if (const auto pattern = Pattern::check(bytes)) (void)pattern->found_in("PermitRootLogin no");
  }
  const auto content = Content::read(bytes);
  if (!content) return 0;
  Facts facts(*root);
  for (std::size_t i = 0; i < content->size() && i < 64; ++i) {
    const auto rule = content->rule(i);
    if (!rule) continue;
    const Verdict verdict = check_rule(*rule, content->strings(), facts);
    if (verdict.observed.size() > kObservedMax) std::abort();
  }
  return 0;
}
