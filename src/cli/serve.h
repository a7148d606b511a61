// `picket serve`: reads the bootstrap settings and runs the server until a signal.
#pragma once

#include <functional>

#include "client.h"

namespace CLI {
class App;
}

namespace picket::cli {

/// Adds the subcommand; `chosen` receives what to run when it is the one.
void add_serve(CLI::App& app, const std::function<void(std::function<Outcome<void>()>)>& chosen);

}  // namespace picket::cli
