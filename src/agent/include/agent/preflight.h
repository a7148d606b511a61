// What works on this device: every kernel facility and every tier of every collector, tried for real.
#pragma once

#include <string>
#include <vector>

#include "agent/collector.h"

namespace picket::agent {

struct PreflightRow {
  enum class State : std::uint8_t { works, limited, missing };
  std::string topic;  ///< "kernel", "process", "network", ...
  std::string name;   ///< e.g. "btf", "ebpf"; for a collector: the tier.
  State state = State::missing;
  std::string detail;   ///< The exact error, or a figure.
  bool in_use = false;  ///< This is the tier that the agent would take with these settings.
};

/// Tries everything and undoes it. Takes well under a second.
std::vector<PreflightRow> preflight(const CollectorSettings& settings, const Clock& clock);

/// Aligned table for people, ends with a line per collector that says which tier is used and why.
std::string preflight_table(const std::vector<PreflightRow>& rows);
/// {"rows":[{"topic","name","state","detail","inUse"}...]}
std::string preflight_json(const std::vector<PreflightRow>& rows);

}  // namespace picket::agent
