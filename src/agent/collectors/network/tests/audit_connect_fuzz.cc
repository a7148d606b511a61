// Claims: what comes out has an address with a port, and texts within their bound. First byte of a line: record type.
#include <cstdlib>

#include <linux/audit.h>

#include "network/audit_connect.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::agent;
  static constexpr std::uint16_t kTypes[] = {AUDIT_SYSCALL, AUDIT_SOCKADDR, AUDIT_PROCTITLE, AUDIT_EOE};
  std::string_view text{reinterpret_cast<const char*>(data), size};
  AuditConnectAssembler assembler;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.empty()) continue;
    const AuditConnect* connect = assembler.take(kTypes[static_cast<unsigned char>(line[0]) % 4], line.substr(1));
    if (connect == nullptr) continue;
    if (connect->remote.port == 0 || connect->remote.address.length == 0) std::abort();
    if (connect->executable.size() > AuditConnectAssembler::kTextBytesMax) std::abort();
    if (connect->title.size() > AuditConnectAssembler::kTextBytesMax) std::abort();
  }
  return 0;
}
