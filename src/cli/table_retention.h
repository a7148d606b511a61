// The setting `table_retention`: how long single tables are kept.
#pragma once

#include <expected>
#include <map>
#include <string>
#include <vector>

#include "server/server.h"

namespace picket::cli {

/// Reads entries "TABLE=DAYS" and "TABLE=DAYS+ARCHIVE": days in segments, then days in the archive. DAYS 0: no limit,
/// and then there is no archive. The error is a sentence about the entry that is wrong.
std::expected<std::map<std::string, server::TableRetention>, std::string> parse_table_retention(
    const std::vector<std::string>& entries);

}  // namespace picket::cli
