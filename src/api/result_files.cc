#include "result_files.h"

#include <fmt/format.h>

#include "workspace/parquet.h"

namespace picket::api {
namespace {

// What a spreadsheet would evaluate, written by whoever controls a device's events.
bool is_formula(std::string_view text) {
  return !text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos;
}

void append_text(std::string& out, std::string_view text) {
  const bool formula = is_formula(text);
  if (!formula && text.find_first_of("\",\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  if (formula) out += '\'';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_cell(std::string& out, kql::Type type, const workspace::Cell& cell) {
  using Kind = workspace::Cell::Kind;
  switch (cell.kind()) {
    case Kind::null:
      return;
    case Kind::boolean:
      out += cell.as_boolean() ? "true" : "false";
      return;
    case Kind::integer:
      if (type == kql::Type::timespan)
        out += timespan_text(cell.as_integer());
      else if (type == kql::Type::boolean)
        out += cell.as_integer() != 0 ? "true" : "false";
      else
        fmt::format_to(std::back_inserter(out), "{}", cell.as_integer());
      return;
    case Kind::real:
      fmt::format_to(std::back_inserter(out), "{}", cell.as_real());
      return;
    case Kind::timestamp:
      out += format_rfc3339(cell.as_timestamp());
      return;
    case Kind::text:
      append_text(out, cell.as_text());
      return;
  }
}

}  // namespace

std::string csv_of(const KqlTable& table) {
  std::string out;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (i > 0) out += ',';
    append_text(out, table.columns[i].name);
  }
  out += "\r\n";
  for (std::size_t row = 0; row < table.result.rows; ++row) {
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      if (i > 0) out += ',';
      append_cell(out, table.columns[i].type, table.result.at(row, i));
    }
    out += "\r\n";
  }
  return out;
}

Result<std::string> parquet_of(const KqlTable& table) {
  std::vector<std::string> names;
  for (const kql::ResultColumn& column : table.columns) names.push_back(column.name);
  return workspace::to_parquet(table.result, names);
}

}  // namespace picket::api
