// A line of an authentication log: its views lie inside it, and repeats have a bound.
#include <cstdlib>

#include "login/auth_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::agent;
  const std::string_view line{reinterpret_cast<const char*>(data), size};
  const auto parsed = parse_auth_line(line);
  if (!parsed) return 0;
  if (parsed->times == 0 || parsed->times > kRepeatMax) std::abort();
  for (const auto view : {parsed->user, parsed->address}) {
    if (!view.empty() && view != "root" && line.find(view) == std::string_view::npos) std::abort();
  }
  return 0;
}
