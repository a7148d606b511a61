// Claim: compare() is a total order of any three texts, for each scheme but maven, which is antisymmetric.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "version/compare.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::version;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto first = all.find('\n'), second = all.find('\n', first == std::string_view::npos ? first : first + 1);
  if (second == std::string_view::npos) return 0;
  const auto a = all.substr(0, first), b = all.substr(first + 1, second - first - 1), c = all.substr(second + 1);
  for (auto number = static_cast<int>(Scheme::dpkg); number <= static_cast<int>(Scheme::generic); ++number) {
    const auto scheme = static_cast<Scheme>(number);
    const auto ab = compare(scheme, a, b), ba = compare(scheme, b, a), bc = compare(scheme, b, c);
    const auto ac = compare(scheme, a, c);
    if (compare(scheme, a, a) != 0) std::abort();
    if ((ab < 0) != (ba > 0) || (ab == 0) != (ba == 0)) std::abort();
    if (scheme == Scheme::maven) continue;
    if (ab <= 0 && bc <= 0 && ac > 0) std::abort();
    if (ab >= 0 && bc >= 0 && ac < 0) std::abort();
    if (ab == 0 && bc == 0 && ac != 0) std::abort();
  }
  return 0;
}
