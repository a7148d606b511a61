// `picket queries …`, `picket saved-query …`, `picket function …`, `picket analytics …`, `picket workspace …`.
#pragma once

#include "hub_options.h"

namespace picket::cli {

void add_workspace(CLI::App& app, const OnClient& on_client, const bool& json);

}  // namespace picket::cli
