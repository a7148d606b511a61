// Claim: for any rules and events that the bytes choose, the compiled matcher says what a plain walk says.
#include <cstdlib>

#include "matcher_oracle.h"
#include "random_rules.h"
#include "sigma/matcher.h"
#include "sigma/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::sigma;
  std::size_t at = 0;
  RandomRules make([&](std::size_t n) -> std::size_t { return at < size ? data[at++] % n : 0; });
  Documents documents;
  Complaints complaints;
  for (std::size_t i = 0; i < 6; ++i) read_documents("fuzz.yml", make.rule(i), nullptr, documents, complaints);
  const RuleSet rules = RuleSet::link(std::move(documents), complaints);
  Matcher matcher(rules);
  std::vector<std::string> store;
  for (int i = 0; i < 8 && at < size; ++i) {
    const auto event = make.event(rules, store);
    const LogSource source{at % 2 == 0 ? "c" : "", "linux", ""};
    const auto found = matcher.match(matcher.route(source), event);
    if (std::vector<RuleIndex>(found.begin(), found.end()) != Oracle{rules, event}.match(source)) std::abort();
  }
  return 0;
}
