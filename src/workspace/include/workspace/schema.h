// What the tables of a workspace look like: columns, row ids, views. Data only; engines and KQL read it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace picket::workspace {

enum class ColumnType : std::uint8_t {
  boolean,
  int32,
  int64,
  real,
  text,
  timestamp,  ///< Microseconds since the epoch, UTC.
  json,       ///< Minified JSON text; dynamic in KQL.
};

/// The KQL name of a type: bool, int, long, real, string, datetime, dynamic.
std::string_view kql_type(ColumnType type);

/// Whether a column belongs to what a table shows by itself.
enum class Visibility : std::uint8_t {
  shown,
  hidden,  ///< Resolves when a query names it; never part of `*`, of getschema or of a default result.
};

struct Column {
  std::string name;
  ColumnType type = ColumnType::text;
  Visibility visibility = Visibility::shown;
  /// Long text such as event details: stored zstd-compressed.
  bool bulk = false;

  friend bool operator==(const Column&, const Column&) = default;
};

/// Hidden columns that each stored table has in front of its own: the row id, and when the hub took the message in (the
/// KQL function ingestion_time()). They are int64, int32, int32, timestamp.
inline constexpr std::string_view kPositionColumn = "_position";
inline constexpr std::string_view kEventColumn = "_event";
inline constexpr std::string_view kItemColumn = "_item";
inline constexpr std::string_view kIngestedColumn = "_ingested";
std::span<const Column> system_columns();

/// A stored table. All rows of a stream share one order (the journal's) and are sealed, kept and dropped together.
struct TableSchema {
  std::string name;
  std::string stream;           ///< E.g. "messages" or "derived".
  std::vector<Column> columns;  ///< Without the system columns.
  /// The timestamp column that retention and segment pruning go by; must be one of `columns`.
  std::string time_column = "TimeGenerated";
};

/// Where the value of a view's column comes from.
enum class ViewValue : std::uint8_t {
  column,       ///< The column `source` of the table.
  constant,     ///< The text `source`.
  byte_length,  ///< Size in bytes of the text column `source`, as real.
};

struct ViewColumn {
  Column column;
  ViewValue value = ViewValue::column;
  std::string source;
};

/// UNION ALL of tables that share the named columns. The system columns are added to it as hidden columns.
struct ViewSchema {
  std::string name;
  std::vector<std::string> tables;
  std::vector<ViewColumn> columns;
};

using TableIndex = std::uint16_t;  ///< Place in Schema::tables.

inline constexpr std::size_t kTablesMax = 256;
inline constexpr std::size_t kColumnsMax = 512;  ///< Of one table.

struct Schema {
  std::vector<TableSchema> tables;
  std::vector<ViewSchema> views;

  [[nodiscard]] std::optional<TableIndex> find_table(std::string_view name) const;
  [[nodiscard]] const ViewSchema* find_view(std::string_view name) const;
  /// Every column a query may name in this table or view, system columns last; empty: there is no such relation.
  [[nodiscard]] std::vector<Column> columns_of(std::string_view relation) const;
  /// Names of tables and views, in the order of declaration.
  [[nodiscard]] std::vector<std::string> relations() const;
};

/// Checks what an engine relies on: names are identifiers ([A-Za-z_][A-Za-z0-9_]*, at most 128 bytes) and unique
/// without regard to case, time columns and view sources exist and have the right type, the counts are within their
/// bounds. Errors: malformed, limit_exceeded.
Result<> validate(const Schema& schema);

}  // namespace picket::workspace
