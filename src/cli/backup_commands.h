// `picket backup create|check` and `picket restore`: on the server's own machine, with or without a running server.
#pragma once

#include <functional>

#include "client.h"

namespace CLI {
class App;
}

namespace picket::cli {

void add_backup(CLI::App& app, const std::function<void(std::function<Outcome<void>()>)>& chosen);

}  // namespace picket::cli
