#include "kusto_command_pipe.h"

namespace picket::api {
namespace {

/// A JSON cell as a literal. JSON's escapes are the language's too.
std::string literal_text(kql::Type type, const std::string& json) {
  if (type == kql::Type::string || type == kql::Type::boolean || type == kql::Type::int64) return json;
  const std::string name(to_string(type));
  if (json == "null" || !json.starts_with('"')) return name + "(" + json + ")";
  return name + "(" + json.substr(1, json.size() - 2) + ")";
}

}  // namespace

PipedCommand split_command(std::string_view text) {
  char quote = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '|') {
      return {text.substr(0, at), text.substr(at)};
    }
  }
  return {text, {}};
}

std::string datatable_text(const CommandTable& table) {
  std::string columns;
  for (const auto& [name, type] : table.columns)
    columns += (columns.empty() ? "['" : ", ['") + name + "']:" + std::string(to_string(type));
  std::string cells;
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      cells += (cells.empty() ? "" : ", ") + literal_text(table.columns[i].second, row[i]);
  }
  return "datatable(" + columns + ")[" + cells + "]\n";
}

}  // namespace picket::api
