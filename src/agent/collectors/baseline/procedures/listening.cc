// listening: that nothing waits on a port for others than this device. Of the running device only.
#include "baseline/lines.h"
#include "baseline/procedure.h"

namespace picket::agent::baseline {
namespace {

constexpr std::string_view kTcpListen = "0A", kUdpUnconnected = "07";

/// procfs has addresses as hexadecimal words in the byte order of the machine; loopback is 127/8 or ::1, also mapped.
bool is_loopback(std::string_view address) {
  if (address.size() == 8) return address.ends_with("7F");
  return address == "00000000000000000000000001000000" ||
         (address.starts_with("0000000000000000FFFF0000") && address.ends_with("7F"));
}

}  // namespace

State check_listening(Check& check) {
  const std::string_view protocol = check.parameters.text("protocol", "tcp");
  const auto port = check.parameters.number("port").value_or(0);
  bool any = false, open = false;
  for (const char* const family : {"", "6"}) {
    const Text text = check.facts.text(join({"/proc/net/", protocol, family}));
    any = any || text.found == Found::yes;
    for_each_line(text.text, "", [&](std::string_view line) {
      take_word(line);
      std::string_view local = take_word(line);
      take_word(line);
      const std::string_view state = line.substr(0, 2);
      if (state != (protocol == "tcp" ? kTcpListen : kUdpUnconnected)) return true;
      const std::string_view address = take_word(local, ":");
      if (number_of(local, 16) != port || is_loopback(address)) return true;
      open = true;
      return false;
    });
  }
  const std::string name = join({protocol, " port ", std::to_string(port)});
  if (!any) {
    observe(check.observed, "sockets cannot be looked at here");
    return State::skip;
  }
  observe(check.observed, name, open ? " is open to the network" : " is not open to the network");
  return pass_if(!open);
}

}  // namespace picket::agent::baseline
