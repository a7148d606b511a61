// Commands whose table goes on into a query: `.show tables | where TableName has "Event"`.
#pragma once

#include <string>
#include <string_view>

#include "kusto_commands.h"

namespace picket::api {

/// Cut at the first bar outside of names and texts; `query` begins with the bar, or is empty.
struct PipedCommand {
  std::string_view command;
  std::string_view query;
};
PipedCommand split_command(std::string_view text);

/// The table as a `datatable`, for a query to begin with.
std::string datatable_text(const CommandTable& table);

}  // namespace picket::api
