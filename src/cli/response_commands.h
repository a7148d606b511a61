// `picket respond` and `picket response`: signed commands to devices.
#pragma once

#include <functional>

#include <CLI/App.hpp>

#include "client.h"

namespace picket::cli {

using OnResponseClient = std::function<void(CLI::App* command, std::function<Outcome<void>(const Client&)> body)>;
void add_response(CLI::App& app, const OnResponseClient& on_client, bool& json);

}  // namespace picket::cli
