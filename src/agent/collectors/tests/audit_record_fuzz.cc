// An audit record from any sender: parsing and assembling never fail, tables keep their bounds, and no record makes
// two.
#include <cstdlib>

#include "login/login_assembler.h"
#include "support/audit_record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::agent;
  std::string_view text{reinterpret_cast<const char*>(data), size};
  int told = 0;
  int taken = 0;
  LoginAssembler assembler(
      {}, [&](const LoginRecord&) { ++told; }, [](std::uint32_t pid) { return pid % 2 == 0; },
      [](std::uint32_t) { return std::string(); });
  Moment now{};
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    for (std::uint16_t type = 1100; type < 1114; ++type) {
      const auto login = parse_audit_login(type, line);
      if (!login) continue;
      ++taken;
      assembler.take(*login, now);
      now.monotonic = now.monotonic + Duration::seconds(1);
      assembler.tick(now);
    }
  }
  now.monotonic = now.monotonic + Duration::hours(1);
  if (assembler.tick(now)) std::abort();  // nothing is held for ever
  if (told > taken) std::abort();
  return 0;
}
