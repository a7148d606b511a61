#include "pipeline/attack.h"

#include <algorithm>

namespace picket::pipeline {

const std::vector<TechniqueAlias>& technique_aliases() {
  static const std::vector<TechniqueAlias> kAliases{
      {"T1070.001", "T1685.005"},  // clear Windows event logs
      {"T1070.002", "T1685.006"},  // clear Linux or Mac system logs
      {"T1562", "T1685"},          // impair defenses: today disable or modify tools
      {"T1562.001", "T1685"},      // disable or modify tools
      {"T1562.002", "T1685.001"},  // Windows event log
      {"T1562.003", "T1690"},      // command history
      {"T1562.004", "T1686"},      // system firewall
      {"T1562.006", "T1685"},      // indicator blocking
      {"T1562.007", "T1686.001"},  // cloud firewall
      {"T1562.008", "T1685.002"},  // cloud log
      {"T1562.009", "T1688"},      // safe mode boot
      {"T1562.010", "T1689"},      // downgrade attack
      {"T1562.011", "T1685.003"},  // spoof security alerting
      {"T1562.012", "T1685.004"},  // Linux audit system
      {"T1562.013", "T1686.002"},  // network device firewall
      {"T1656", "T1684.001"},      // impersonation
  };
  return kAliases;
}

std::string_view current_technique(std::string_view id) {
  const auto& all = technique_aliases();
  const auto found = std::ranges::find(all, id, &TechniqueAlias::before);
  return found == all.end() ? id : found->now;
}

std::vector<std::string_view> former_techniques(std::string_view id) {
  std::vector<std::string_view> out;
  for (const TechniqueAlias& alias : technique_aliases()) {
    if (alias.now == id) out.push_back(alias.before);
  }
  return out;
}

}  // namespace picket::pipeline
