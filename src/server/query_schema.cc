#include "query_schema.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>

#include "message/event_table.h"
#include "pipeline/tables.h"
#include "workspace/tables.h"

namespace picket::server {
namespace {

kql::Type type_of(workspace::ColumnType type) {
  switch (type) {
    case workspace::ColumnType::boolean:
      return kql::Type::boolean;
    case workspace::ColumnType::int32:
      return kql::Type::int32;
    case workspace::ColumnType::int64:
      return kql::Type::int64;
    case workspace::ColumnType::real:
      return kql::Type::real;
    case workspace::ColumnType::text:
      return kql::Type::string;
    case workspace::ColumnType::timestamp:
      return kql::Type::datetime;
    case workspace::ColumnType::json:
      return kql::Type::dynamic;
  }
  return kql::Type::string;
}

std::string quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

std::string quoted_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

const char* engine_type(kql::Type type) {
  switch (type) {
    case kql::Type::boolean:
      return "BOOLEAN";
    case kql::Type::int64:
      return "BIGINT";
    case kql::Type::real:
      return "DOUBLE";
    default:
      return "VARCHAR";
  }
}

/// The type of a promoted key in the language; nullopt: times are texts in the details, and are read there.
std::optional<kql::Type> promoted_type(message::ColumnType type) {
  switch (type) {
    case message::ColumnType::text:
      return kql::Type::string;
    case message::ColumnType::integer:
      return kql::Type::int64;
    case message::ColumnType::real:
      return kql::Type::real;
    case message::ColumnType::boolean:
      return kql::Type::boolean;
    case message::ColumnType::datetime:
      return std::nullopt;
  }
  return std::nullopt;
}

/// How the exactness of a key is called in a table's expressions; each family says what it is there.
std::string exact_name(std::string_view key) { return "exact " + std::string(key); }

/// The bit of a row's mask that says that the column is not what the details say.
kql::Mask mask_of(std::size_t bit) {
  return {std::string(pipeline::kInexactColumn), static_cast<std::int64_t>(std::uint64_t{1} << bit)};
}

/// Whether the column says what the details say: it has a value, or its bit of the row's mask is clear. Rows without a
/// mask are older than it.
std::string exact_sql(std::string_view key, std::size_t bit) {
  const kql::Mask mask = mask_of(bit);
  return "(" + quoted(key) + " IS NOT NULL OR coalesce((" + quoted(mask.column) + " & (" + std::to_string(mask.bits) +
         ")) = 0, FALSE))";
}

/// The keys of one family as promotions of its EventDetails; empty for other tables.
std::vector<kql::Promotion> promotions_of(std::string_view table) {
  std::vector<kql::Promotion> out;
  for (const message::TableInfo& family : message::all_tables()) {
    if (family.name != table) continue;
    for (std::size_t bit = 0; bit < family.columns.size(); ++bit) {
      const message::FieldInfo& field = message::info(family.columns[bit]);
      if (const auto type = promoted_type(field.type))
        out.push_back({std::string(field.name), *type, quoted(field.name), exact_sql(field.name, bit), mask_of(bit)});
    }
  }
  return out;
}

/// The keys of all families that the view is made of. What they are in each family, its part says.
std::vector<kql::Promotion> promotions_of(const workspace::ViewSchema& view) {
  std::map<std::string, kql::Promotion> out;
  for (const std::string& table : view.tables) {
    for (const kql::Promotion& one : promotions_of(table))
      out.emplace(one.path, kql::Promotion{one.path, one.type, one.sql, exact_name(one.path)});
  }
  std::vector<kql::Promotion> list;
  for (auto& [path, promotion] : out) list.push_back(std::move(promotion));
  return list;
}

std::shared_ptr<const std::vector<kql::TablePart>> parts_of(const workspace::ViewSchema& view) {
  const auto all = promotions_of(view);
  auto parts = std::make_shared<std::vector<kql::TablePart>>();
  for (const std::string& table : view.tables) {
    kql::TablePart& part = parts->emplace_back(quoted(table));
    for (const kql::Promotion& one : all) {
      part.expressions.emplace(one.sql, std::string("CAST(NULL AS ") + engine_type(one.type) + ")");
      part.expressions.emplace(one.exact_sql, "FALSE");
    }
    for (const kql::Promotion& here : promotions_of(table)) {
      part.expressions[here.sql] = here.sql;
      part.expressions[exact_name(here.path)] = here.exact_sql;
      part.masks[exact_name(here.path)] = here.exact_mask;
    }
  }
  return parts;
}

/// The row builder fills these in every row of an event family.
void mark_filled(kql::Table& table) {
  for (kql::Column& column : table.columns) {
    column.not_null = std::ranges::any_of(workspace::family_base_columns(),
                                          [&](const workspace::Column& base) { return base.name == column.name; });
  }
}

bool is_family(std::string_view table) {
  return std::ranges::any_of(message::all_tables(), [&](const message::TableInfo& one) { return one.name == table; });
}

kql::Column hidden_column(const workspace::ViewColumn& column) {
  kql::Column out{.name = column.column.name, .type = type_of(column.column.type)};
  switch (column.value) {
    case workspace::ViewValue::column:
      out.sql = quoted(column.source);
      break;
    case workspace::ViewValue::constant:
      out.sql = quoted_text(column.source);
      out.not_null = true;
      break;
    case workspace::ViewValue::byte_length:
      out.sql = "CAST(strlen(" + quoted(column.source) + ") AS DOUBLE)";
      break;
  }
  return out;
}

/// A view is read from its tables: so each is asked for what a query needs, and has its own promoted columns.
void describe_view(const workspace::ViewSchema& view, kql::Table& table) {
  table.parts = parts_of(view);
  mark_filled(table);
  for (kql::Column& column : table.columns) {
    if (column.name == "EventDetails") column.promotions = promotions_of(view);
  }
  for (const workspace::ViewColumn& column : view.columns) {
    if (column.column.visibility == workspace::Visibility::hidden) table.hidden.push_back(hidden_column(column));
  }
}

void describe_table(kql::Table& table) {
  if (is_family(table.name)) mark_filled(table);
  for (kql::Column& column : table.columns) {
    if (column.name == "EventDetails") column.promotions = promotions_of(table.name);
  }
}

}  // namespace

kql::Schema make_query_schema(const workspace::Schema& schema) {
  kql::Schema out;
  for (const std::string& relation : schema.relations()) {
    kql::Table table{.name = relation};
    for (const workspace::Column& column : schema.columns_of(relation)) {
      if (column.visibility != workspace::Visibility::shown) continue;
      table.columns.push_back({.name = column.name, .type = type_of(column.type)});
    }
    const auto is = [](std::string_view name) { return [name](const kql::Column& one) { return one.name == name; }; };
    if (std::ranges::any_of(table.columns, is("TimeGenerated"))) table.time_column = "TimeGenerated";
    table.ingestion_sql = quoted(workspace::kIngestedColumn);
    if (const workspace::ViewSchema* view = schema.find_view(relation)) {
      describe_view(*view, table);
    } else {
      describe_table(table);
    }
    // What every table of a Log Analytics workspace has.
    if (std::ranges::none_of(table.columns, is("Type")) && std::ranges::none_of(table.hidden, is("Type")))
      table.hidden.push_back(
          {.name = "Type", .type = kql::Type::string, .sql = quoted_text(relation), .not_null = true});
    out.tables.push_back(std::move(table));
  }
  return out;
}

}  // namespace picket::server
