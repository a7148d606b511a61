#include "kill_chain.h"

#include <algorithm>
#include <array>
#include <bit>

namespace picket::pipeline {
namespace {

struct Stage {
  std::string_view tactic;
  int number;
};

// Stealth and DefenseImpairment are what DefenseEvasion was until ATT&CK v19; the last two are of ATT&CK for ICS.
constexpr std::array<Stage, 19> kStages{{{"Reconnaissance", 1},
                                         {"ResourceDevelopment", 2},
                                         {"InitialAccess", 3},
                                         {"Execution", 4},
                                         {"Persistence", 5},
                                         {"PrivilegeEscalation", 6},
                                         {"DefenseEvasion", 7},
                                         {"Evasion", 7},
                                         {"Stealth", 7},
                                         {"DefenseImpairment", 7},
                                         {"CredentialAccess", 8},
                                         {"Discovery", 9},
                                         {"LateralMovement", 10},
                                         {"Collection", 11},
                                         {"CommandAndControl", 12},
                                         {"Exfiltration", 13},
                                         {"Impact", 14},
                                         {"InhibitResponseFunction", 14},
                                         {"ImpairProcessControl", 14}}};

}  // namespace

int kill_chain_stage(std::string_view tactic) {
  const auto found = std::ranges::find(kStages, tactic, &Stage::tactic);
  return found == kStages.end() ? 0 : found->number;
}

StageSet stages_of(std::span<const std::string> tactics) {
  StageSet out = 0;
  for (const std::string& tactic : tactics) {
    if (const int stage = kill_chain_stage(tactic); stage > 0) out |= StageSet{1} << stage;
  }
  return out;
}

int stage_count(StageSet stages) { return std::popcount(stages); }

void sort_tactics(std::vector<std::string>& tactics) {
  std::ranges::sort(tactics, {}, [](const std::string& tactic) { return std::pair(kill_chain_stage(tactic), tactic); });
  tactics.erase(std::ranges::unique(tactics).begin(), tactics.end());
}

std::string tactic_title(std::string_view tactic) {
  std::string out;
  for (const char c : tactic) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !out.empty()) out += ' ';
    out += upper && !out.empty() && out.size() > 1 ? static_cast<char>(c + 32) : c;
  }
  return out;
}

}  // namespace picket::pipeline
