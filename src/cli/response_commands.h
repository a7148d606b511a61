// `picket respond` and `picket response`: signed commands to devices.
#pragma once

#include <functional>
#include <string>

#include <CLI/App.hpp>

#include "client.h"

namespace picket::cli {

using OnResponseClient = std::function<void(CLI::App* command, std::function<Outcome<void>(const Client&)> body)>;

/// What to do with the server's public key where a device is put into service; empty when the server told none.
std::string response_key_note(const std::string& public_key_pem);

void add_response(CLI::App& app, const OnResponseClient& on_client, bool& json);

}  // namespace picket::cli
