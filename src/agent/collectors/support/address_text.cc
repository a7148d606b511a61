#include "support/address_text.h"

#include <arpa/inet.h>

namespace picket::agent {

std::string address_text(const IpAddress& address) {
  if (address.length != 4 && address.length != 16) return {};
  char text[INET6_ADDRSTRLEN];
  return ::inet_ntop(address.length == 4 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
}

}  // namespace picket::agent
