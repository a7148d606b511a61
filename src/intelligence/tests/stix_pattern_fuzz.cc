// Claim: a pattern that is read has observables, all different, which stand for themselves: a pattern made of them
// reads the same; blanks at its ends change nothing.
#include <cstdlib>

#include "base/core/bytes.h"
#include "intelligence/stix_pattern.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::intelligence;
  const auto text = as_text(std::as_bytes(std::span(data, size)));
  const auto out = read_pattern(text);
  const auto padded = read_pattern(" " + std::string(text) + "\n");
  if (size < kPatternBytesMax - 2 && out.has_value() != padded.has_value()) std::abort();
  if (!out) {
    if (out.error().text.empty() || out.error().offset > size) std::abort();
    return 0;
  }
  if (out->empty() || (padded && *padded != *out)) std::abort();
  for (const Observable& one : *out) {
    if (one.kind != Kind::ipv4 && one.kind != Kind::network6 && one.kind != Kind::domain) continue;
    const std::string object = one.kind == Kind::domain ? "domain-name" : "ipv6-addr";
    const auto again = read_pattern("[" + object + ":value = '" + to_text(one) + "']");
    if (!again || again->size() != 1 || again->front() != one) std::abort();
  }
  return 0;
}
