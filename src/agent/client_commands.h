// Commands that ask the running agent, and what all commands print with.
#pragma once

#include <string_view>

#include "agent/config.h"
#include "agent/self_test.h"

namespace picket::agent {

void print(int to, std::string_view text);
int exit_with(Outcome outcome);

/// Each returns the exit code of the program.
int show_status(const Config& config, bool json);
int show_dump(const Config& config, bool json);
int show_events(const Config& config, bool follow, bool json);
int self_test(const Config& config, SelfTestGoal goal, Duration timeout, bool json);

}  // namespace picket::agent
