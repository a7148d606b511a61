// The command-line options of `picket hub`.
#pragma once

#include <functional>

#include "client.h"

namespace CLI {
class App;
}

namespace picket::cli {

/// Makes `command` run `body` against the server with the flags of the program.
using OnClient = std::function<void(CLI::App* command, std::function<Outcome<void>(const Client&)> body)>;

/// `json` is read when a command runs.
void add_hub(CLI::App& app, const OnClient& on_client, const bool& json);

}  // namespace picket::cli
