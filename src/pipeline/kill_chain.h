// The order in which attacks go on: ATT&CK tactics as stages.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace picket::pipeline {

/// Number of the tactic's stage, from 1; 0: unknown. Names without spaces, as alerts have them; those before ATT&CK v19
/// are known too.
int kill_chain_stage(std::string_view tactic);

/// A bit a stage.
using StageSet = std::uint32_t;
StageSet stages_of(std::span<const std::string> tactics);
int stage_count(StageSet stages);

/// Orders tactics by stage, then by name, each once.
void sort_tactics(std::vector<std::string>& tactics);

/// "CommandAndControl" -> "Command and control".
std::string tactic_title(std::string_view tactic);

}  // namespace picket::pipeline
