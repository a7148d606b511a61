// `picket intelligence …`: tables, feeds, indicators, look-ups, retro-hunts.
#pragma once

#include "hub_options.h"

namespace CLI {
class App;
}

namespace picket::cli {

/// Below the command `intelligence`, which is there.
void add_intelligence(CLI::App& intelligence, const OnClient& on_client, const bool& json);

}  // namespace picket::cli
