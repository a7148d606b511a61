// What the files of management commands share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/json_writer.h"
#include "kusto_commands.h"

namespace picket::api {

using Type = kql::Type;
using Answered = std::expected<CommandTable, ApiError>;

struct AskedCommand {
  std::vector<std::string> words;
  std::vector<std::string> names;  ///< What stood in brackets behind `tables` or `databases`; empty: all.
};

/// A cell with text.
inline std::string text(std::string_view value) {
  std::string out;
  append_json_string(out, value);
  return out;
}

inline std::string database_of(const Call& call) { return call.parts.services.hub; }

inline std::vector<std::pair<std::string, Type>> texts(std::initializer_list<const char*> names) {
  std::vector<std::pair<std::string, Type>> out;
  for (const char* name : names) out.emplace_back(name, Type::string);
  return out;
}

/// "a:string,b:long"
std::string csl_schema(const kql::Table& table);

/// Errors: query_unknown_name.
std::expected<const kql::Table*, ApiError> find_command_table(const Call& call, std::string_view name);

/// All tables, or those of `asked.names`.
std::vector<const kql::Table*> asked_tables(const Call& call, const AskedCommand& asked);

// kusto_table_commands.cc
Answered show_table_details(const Call& call, const AskedCommand& asked);  ///< Rows, bytes, retention.
Answered show_table_policy(const Call& call, const AskedCommand& asked);   ///< Retention; others are not set.
Answered show_csl_schema(const Call& call, const AskedCommand& asked);
Answered show_csl_script(const Call& call, const AskedCommand& asked);
/// Commands about kinds of things that there are none of: clients ask to fill their trees. nullopt: another command.
std::optional<CommandTable> empty_command(const std::vector<std::string>& words);

}  // namespace picket::api
