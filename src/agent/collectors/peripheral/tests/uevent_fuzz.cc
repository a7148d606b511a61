// Claim: whatever a message says, its path stays below /devices, and what follows the last NUL of a whole message does
// not change what was read before it.
#include <cstdlib>
#include <string>

#include "peripheral/uevent_message.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::agent;
  const Bytes message = std::as_bytes(std::span(data, size));
  const auto event = parse_uevent(message);
  if (event) {
    if (!event->path.starts_with("/devices/") || event->path.find("/../") != std::string_view::npos) std::abort();
    std::string longer(as_text(message));
    longer.push_back('\0');
    longer += "UNKNOWN=1";
    const auto again = parse_uevent(as_bytes(longer));
    if (!again || again->path != event->path || again->kind != event->kind || again->vendor != event->vendor) {
      std::abort();
    }
  }
  (void)parse_usb_class(as_text(message));
  return 0;
}
