// Claims: bounds hold; a message that is cut keeps the question it had, or is refused; what a packet holds lies in it.
#include <cstdlib>

#include "dns/dns_message.h"
#include "dns/dns_packet.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::agent;
  const Bytes bytes = std::as_bytes(std::span(data, size));
  const auto whole = parse_dns(bytes);
  if (whole) {
    if (whole->name.empty() || whole->name.size() > kDnsNameTextMax) std::abort();
    if (whole->answers.size() > DnsMessage::kAnswersMax || whole->addresses.size() > whole->answers.size())
      std::abort();
    const auto cut = parse_dns(bytes.first(size - 1 - data[0] % size));
    if (cut && (cut->name != whole->name || cut->type != whole->type || cut->id != whole->id)) std::abort();
    if (cut && cut->answers.size() > whole->answers.size()) std::abort();
  }
  if (const auto packet = parse_dns_packet(bytes); packet && !packet->message.empty()) {
    if (packet->message.data() < bytes.data()) std::abort();
    if (packet->message.data() + packet->message.size() > bytes.data() + bytes.size()) std::abort();
  }
  return 0;
}
