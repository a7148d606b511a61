// Files that hold secrets: only their owner may read them.
#pragma once

#include <string>

#include "agent/connection_string.h"

namespace picket::agent {

/// Reads a file that must be closed to others (0600 or stricter) and belong to this user or root. The error says what
/// to run to mend it.
Checked<std::string> read_secret_file(const std::string& path, std::size_t size_max);

}  // namespace picket::agent
