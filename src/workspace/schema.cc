#include "workspace/schema.h"

#include <algorithm>
#include <array>
#include <set>

namespace picket::workspace {
namespace {

constexpr std::size_t kNameBytesMax = 128;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return lower(c); });
  return out;
}

bool is_identifier(std::string_view name) {
  const auto letter = [](char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || c == '_'; };
  return !name.empty() && name.size() <= kNameBytesMax && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

const Column* find_column(std::span<const Column> columns, std::string_view name) {
  const auto found = std::ranges::find(columns, name, &Column::name);
  return found == columns.end() ? nullptr : &*found;
}

Result<> validate_columns(std::span<const Column> columns) {
  if (columns.empty() || columns.size() > kColumnsMax) return fail(Errc::limit_exceeded, "workspace.schema.columns");
  std::set<std::string> names;
  for (const Column& column : system_columns()) names.insert(lower(column.name));
  for (const Column& column : columns) {
    if (!is_identifier(column.name)) return fail(Errc::malformed, "workspace.schema.column_name");
    if (!names.insert(lower(column.name)).second) return fail(Errc::malformed, "workspace.schema.column_twice");
  }
  return {};
}

Result<> validate_table(const TableSchema& table) {
  TRY_VOID(validate_columns(table.columns));
  if (!is_identifier(table.stream)) return fail(Errc::malformed, "workspace.schema.stream_name");
  const Column* time = find_column(table.columns, table.time_column);
  if (time == nullptr || time->type != ColumnType::timestamp)
    return fail(Errc::malformed, "workspace.schema.time_column");
  return {};
}

bool is_text(ColumnType type) { return type == ColumnType::text || type == ColumnType::json; }

Result<> validate_view_column(const ViewColumn& column, const TableSchema& table) {
  if (column.value == ViewValue::constant) {
    if (column.column.type != ColumnType::text) return fail(Errc::malformed, "workspace.schema.view_type");
    return {};
  }
  const Column* source = find_column(table.columns, column.source);
  if (source == nullptr) return fail(Errc::malformed, "workspace.schema.view_source");
  const bool fits = column.value == ViewValue::byte_length
                        ? is_text(source->type) && column.column.type == ColumnType::real
                        : source->type == column.column.type || (is_text(source->type) && is_text(column.column.type));
  if (!fits) return fail(Errc::malformed, "workspace.schema.view_type");
  return {};
}

Result<> validate_view(const Schema& schema, const ViewSchema& view) {
  std::vector<Column> columns;
  for (const ViewColumn& column : view.columns) columns.push_back(column.column);
  TRY_VOID(validate_columns(columns));
  if (view.tables.empty()) return fail(Errc::malformed, "workspace.schema.view_tables");
  for (const std::string& name : view.tables) {
    const auto table = schema.find_table(name);
    if (!table) return fail(Errc::malformed, "workspace.schema.view_table");
    for (const ViewColumn& column : view.columns) TRY_VOID(validate_view_column(column, schema.tables[*table]));
  }
  return {};
}

}  // namespace

std::string_view kql_type(ColumnType type) {
  switch (type) {
    case ColumnType::boolean:
      return "bool";
    case ColumnType::int32:
      return "int";
    case ColumnType::int64:
      return "long";
    case ColumnType::real:
      return "real";
    case ColumnType::text:
      return "string";
    case ColumnType::timestamp:
      return "datetime";
    case ColumnType::json:
      return "dynamic";
  }
  return "";
}

std::span<const Column> system_columns() {
  static const std::array<Column, 4> columns{
      Column{std::string(kPositionColumn), ColumnType::int64, Visibility::hidden},
      Column{std::string(kEventColumn), ColumnType::int32, Visibility::hidden},
      Column{std::string(kItemColumn), ColumnType::int32, Visibility::hidden},
      Column{std::string(kIngestedColumn), ColumnType::timestamp, Visibility::hidden}};
  return columns;
}

std::optional<TableIndex> Schema::find_table(std::string_view name) const {
  const auto found = std::ranges::find(tables, name, &TableSchema::name);
  if (found == tables.end()) return std::nullopt;
  return static_cast<TableIndex>(found - tables.begin());
}

const ViewSchema* Schema::find_view(std::string_view name) const {
  const auto found = std::ranges::find(views, name, &ViewSchema::name);
  return found == views.end() ? nullptr : &*found;
}

std::vector<Column> Schema::columns_of(std::string_view relation) const {
  std::vector<Column> out;
  if (const auto table = find_table(relation)) {
    out = tables[*table].columns;
  } else if (const ViewSchema* view = find_view(relation)) {
    for (const ViewColumn& column : view->columns) out.push_back(column.column);
  } else {
    return out;
  }
  out.insert(out.end(), system_columns().begin(), system_columns().end());
  return out;
}

std::vector<std::string> Schema::relations() const {
  std::vector<std::string> out;
  for (const TableSchema& table : tables) out.push_back(table.name);
  for (const ViewSchema& view : views) out.push_back(view.name);
  return out;
}

Result<> validate(const Schema& schema) {
  if (schema.tables.empty() || schema.tables.size() > kTablesMax || schema.views.size() > kTablesMax) {
    return fail(Errc::limit_exceeded, "workspace.schema.tables");
  }
  std::set<std::string> names;
  for (const std::string& name : schema.relations()) {
    if (!is_identifier(name)) return fail(Errc::malformed, "workspace.schema.table_name");
    if (!names.insert(lower(name)).second) return fail(Errc::malformed, "workspace.schema.table_twice");
  }
  for (const TableSchema& table : schema.tables) TRY_VOID(validate_table(table));
  for (const ViewSchema& view : schema.views) TRY_VOID(validate_view(schema, view));
  return {};
}

}  // namespace picket::workspace
