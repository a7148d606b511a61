// Claim: a file of any bytes gives rules or complaints; each rule survives being written and read again.
#include <cstdlib>

#include "analytics/rule_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::analytics;
  const RuleFile file = read_rule_file({reinterpret_cast<const char*>(data), size});
  if (file.rules.empty() && file.complaints.empty()) std::abort();
  for (const Rule& rule : file.rules) {
    const RuleFile again = read_rule_file(to_json(rule));
    if (again.rules.size() != 1 || again.rules[0].frequency != rule.frequency ||
        again.rules[0].threshold != rule.threshold)
      std::abort();
  }
  return 0;
}
