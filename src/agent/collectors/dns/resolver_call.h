// What a call of getaddrinfo() says of a look-up.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dns/look_up_table.h"
#include "names_event.h"

namespace picket::agent {

/// The name as it is reported: lower case, without the last dot, what is not printable escaped as in DnsMessage.
/// nullopt: no name is looked up (empty, an address as text, longer than 255 bytes).
std::optional<std::string> asked_name(std::string_view text);

/// The look-ups that `event` stands for, without executable: one for the addresses of each family, or one without type
/// when there are none. Empty: none was made (see asked_name), or the name could not be read.
std::vector<LookUp> look_ups_of(const picket_names_event& event, const Moment& time);

}  // namespace picket::agent
