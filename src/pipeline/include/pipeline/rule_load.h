// What each rule and detector did and cost.
#pragma once

#include <cstdint>
#include <string>

namespace picket::pipeline {

/// Counts since the start of the process, replay included. Of a rule that was changed since: since then.
struct RuleLoad {
  std::string id;               ///< As RuleListing::id.
  std::uint64_t looked_at = 0;  ///< Events that it had to decide on. What one search for all rules rules out is no part.
  std::uint64_t matches = 0;    ///< Events that a rule matched; what a detector found.
  std::uint64_t throttled = 0;  ///< Of these, told by the one alert that stands for the rest.
  std::uint64_t cpu_us = 0;     ///< An estimate: one look in 64 is timed.
};

}  // namespace picket::pipeline
