// Addresses as text, for payloads that collectors make.
#pragma once

#include <string>

#include "agent/record.h"

namespace picket::agent {

/// "192.0.2.1", "2001:db8::1"; empty: no address.
std::string address_text(const IpAddress& address);

}  // namespace picket::agent
