// Everything that somebody who helps from afar asks for, in one text without secrets.
#pragma once

#include <string>
#include <vector>

#include "agent/config.h"
#include "agent/log_lines.h"
#include "agent/status.h"

namespace picket::agent {

/// {"status":…, "settings":[{"name","value","source"}…], "warnings":[{"time","text"}…]}: settings are all of the table,
/// secrets only as set or not.
std::string dump_json(const AgentStatus& status, const Config& config, const std::vector<LogLines::Line>& warnings);
/// The same for a terminal; of the settings only those that are not at their default.
std::string dump_text(const AgentStatus& status, const Config& config, const std::vector<LogLines::Line>& warnings);

}  // namespace picket::agent
