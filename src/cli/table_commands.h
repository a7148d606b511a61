// `picket workspace tables`, `picket workspace retention …`.
#pragma once

#include "hub_options.h"

namespace picket::cli {

void add_tables(CLI::App& app, const OnClient& on_client, const bool& json);

}  // namespace picket::cli
