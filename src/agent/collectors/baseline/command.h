// `picket-agent baseline`: a run from the command line, for a device or an unpacked firmware image.
#pragma once

#include <string>
#include <string_view>

#include "agent/collector.h"

namespace picket::agent {

struct BaselineReport {
  std::string text;     ///< What to print; "" when `problem` says why there is none.
  std::string problem;  ///< For people.
  bool failed = false;  ///< Some rule failed.
};
/// Runs all rules that `settings` choose. `only`: one rule, by id or number; "" for all. Takes seconds on a large disk.
BaselineReport check_baseline(const CollectorSettings& settings, std::string_view only, bool json);

}  // namespace picket::agent
