#include "pipeline/table_rows.h"

#include <boost/json.hpp>

#include "base/core/json_writer.h"
#include "base/core/time.h"

namespace picket::pipeline {
namespace {

namespace json = boost::json;
using workspace::Cell;
using workspace::ColumnType;

constexpr std::uint64_t kFormat = 1;

Cell empty_cell(ColumnType type) { return type == ColumnType::text ? Cell::text("") : Cell::null(); }

/// A value of another type than the column's is an empty cell: one odd value does not cost the row.
Cell cell_of(const json::value& value, ColumnType type, std::deque<std::string>& texts) {
  const auto kept = [&texts](std::string_view text) { return Cell::text(texts.emplace_back(text)); };
  switch (type) {
    case ColumnType::boolean:
      if (const auto* truth = value.if_bool()) return Cell::boolean(*truth);
      break;
    case ColumnType::int32:
    case ColumnType::int64:
      if (const auto* number = value.if_int64()) return Cell::integer(*number);
      break;
    case ColumnType::real:
      if (value.is_number()) return Cell::real(value.to_number<double>());
      break;
    case ColumnType::text:
      if (const auto* text = value.if_string()) return kept({text->data(), text->size()});
      break;
    case ColumnType::timestamp:
      if (const auto* text = value.if_string()) {
        const auto time = parse_rfc3339({text->data(), text->size()});
        if (time) return Cell::timestamp(*time);
      }
      break;
    case ColumnType::json:
      return kept(json::serialize(value));
  }
  return empty_cell(type);
}

}  // namespace

std::string table_rows_body(std::string_view table, std::string_view common, std::span<const std::string> rows) {
  JsonWriter out;
  out.begin_object().key("Format").value(kFormat).key("Table").value(table).key("Common").raw(common);
  out.key("Rows").begin_array();
  for (const std::string& row : rows) out.raw(row);
  return out.end_array().end_object().take();
}

Result<TableRows> parse_table_rows(std::string_view body, const workspace::Schema& schema,
                                   std::deque<std::string>& texts) {
  json::error_code failed;
  const json::value value = json::parse({body.data(), body.size()}, failed);
  if (failed || !value.is_object()) return fail(Errc::malformed, "table_rows.json");
  const json::object& in = value.get_object();
  const auto* format = in.if_contains("Format");
  if (format == nullptr || !format->is_int64()) return fail(Errc::malformed, "table_rows.format");
  if (format->get_int64() != kFormat) return fail(Errc::unsupported, "table_rows.format");
  const auto* name = in.if_contains("Table");
  const auto* common = in.if_contains("Common");
  const auto* rows = in.if_contains("Rows");
  if (name == nullptr || !name->is_string()) return fail(Errc::malformed, "table_rows.table");
  if (common == nullptr || !common->is_object()) return fail(Errc::malformed, "table_rows.common");
  if (rows == nullptr || !rows->is_array()) return fail(Errc::malformed, "table_rows.rows");
  TableRows out;
  const auto table = schema.find_table({name->get_string().data(), name->get_string().size()});
  if (!table) return fail(Errc::not_found, "table_rows.table");
  out.table = *table;
  const auto& columns = schema.tables[*table].columns;
  std::vector<Cell> shared;
  for (const auto& column : columns) {
    const auto* given = common->get_object().if_contains(column.name);
    shared.push_back(given == nullptr ? empty_cell(column.type) : cell_of(*given, column.type, texts));
  }
  for (const json::value& row : rows->get_array()) {
    if (!row.is_object()) return fail(Errc::malformed, "table_rows.row");
    auto& cells = out.rows.emplace_back(shared);
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (const auto* given = row.get_object().if_contains(columns[i].name)) {
        cells[i] = cell_of(*given, columns[i].type, texts);
      }
    }
  }
  return out;
}

}  // namespace picket::pipeline
