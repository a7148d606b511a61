// Claim: a condition that is taken is the same when it is written out and read again.
#include <cstdlib>

#include "condition_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::sigma;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const Condition once = parse_condition(text, 1);
    const std::string written = to_string(once);
    // Written out it has a bracket for each list, which may be more than a condition may have.
    if (written.size() > kConditionBytesMax) return 0;
    try {
      if (parse_condition(written, 1) != once) std::abort();
    } catch (const YamlFault& fault) {
      if (fault.what.find("deep") == std::string::npos) std::abort();
    }
  } catch (const YamlFault& fault) {
    if (fault.what.empty() || fault.advice.empty()) std::abort();
  }
  return 0;
}
