// Lines of audit records from any sender, each "TYPE audit(…): …": what is kept has its bounds, an exec needs a SYSCALL
// record of its own, and nothing stays open for ever.
#include <charconv>
#include <cstdlib>

#include "process/audit_exec.h"
#include "support/argv_hash.h"
#include "support/audit_socket.h"
#include "support/procfs.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::agent;
  std::string_view text{reinterpret_cast<const char*>(data), size};
  (void)is_our_rule(as_bytes(text));
  std::size_t calls = 0, told = 0;
  AuditExecAssembler assembler([&](const AuditExec& exec) {
    ++told;
    if (exec.argv.size() > kArgvBytesMax || exec.argv.size() > exec.argv_bytes) std::abort();
    if (exec.argv.size() == exec.argv_bytes && exec.argv_hash != argv_hash(exec.argv)) std::abort();
    for (const auto& each : {exec.executable, exec.cwd, exec.terminal}) {
      if (each.size() > AuditExecAssembler::kTextBytesMax) std::abort();
    }
  });
  Duration now{};
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::uint16_t type = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), type);
    if (error != std::errc{}) continue;
    auto rest = line.substr(static_cast<std::size_t>(end - line.data()));
    rest.remove_prefix(rest.starts_with(' ') ? 1 : 0);
    calls += type == 1300 ? 1 : 0;
    assembler.take(type, rest, now);
    now = now + Duration::milliseconds(1);
  }
  if (assembler.tick(now + Duration::hours(1))) std::abort();
  if (told > calls) std::abort();
  return 0;
}
