// `picket workbook …`: list, import, export, check, remove.
#pragma once

#include "hub_options.h"

namespace picket::cli {

void add_workbooks(CLI::App& app, const OnClient& on_client, const bool& json);

}  // namespace picket::cli
