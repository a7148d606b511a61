// Answers of a hostile provisioning service and what a person may write as a proxy: bounded values or an error, and an
// answer that was read never grows by being read again.
#include <cstdlib>

#include "agent/provisioning.h"
#include "agent/proxy.h"

using namespace picket;
using namespace picket::agent;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto answer = parse_registration_answer(text)) {
    if (answer->status.size() > size || answer->assignment.hub.size() > size || answer->error.size() > 200)
      std::abort();
    (void)identity_of(answer->assignment, {});
  }
  if (const auto topic = parse_registration_topic(text)) {
    if (topic->retry_after && *topic->retry_after > Duration::minutes(10)) std::abort();
  }
  if (const auto proxy = parse_proxy(text)) {
    const std::string request = proxy_request(*proxy, {"hub.example", 8883});
    if (!request.ends_with("\r\n\r\n") || request.find("\r\n\r\n") + 4 != request.size()) std::abort();
    if (proxy->address.port == 0 || proxy->address.host.empty()) std::abort();
  }
  return 0;
}
