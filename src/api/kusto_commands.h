// Kusto's management commands that read: .show …, and .cancel query. Everything that writes is refused, except how
// long tables are kept (kusto_retention.h).
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "router.h"

namespace picket::api {

/// What a command answers: cells are JSON values.
struct CommandTable {
  std::vector<std::pair<std::string, kql::Type>> columns;
  std::vector<std::vector<std::string>> rows;
};

/// The words of a command: names in brackets, quotes or plain. An empty list: it is no command.
std::vector<std::string> command_words(std::string_view text);

/// Errors: query_syntax, query_unsupported, query_unknown_name, denied (a command that writes).
std::expected<CommandTable, ApiError> run_command(const Call& call, std::string_view text);

}  // namespace picket::api
