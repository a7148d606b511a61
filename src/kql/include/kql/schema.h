// What tables a query may name, and how each column is read in the engine.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kql/value.h"

namespace picket::kql {

/// Bits of a column of whole numbers, which is never NULL where they are said to be clear.
struct Mask {
  std::string column;
  std::int64_t bits = 0;  ///< 0: no mask.
};

/// A key of a JSON text column that the store also keeps as a typed column.
/// The binder reads it in place of the JSON path, and only where `exact_sql` holds (decisions.md 20): then the typed
/// value carries all that the JSON text said, NULL meaning that the key is missing or null.
struct Promotion {
  std::string
      path;   ///< Keys joined by dots below the root: "CommandLine", "Process.Name". Keys with dots: no promotion.
  Type type;  ///< boolean, int32, int64, real or string.
  std::string sql;        ///< SQL expression over the table's row.
  std::string exact_sql;  ///< SQL boolean over the row, never NULL; empty: always exact.
  Mask exact_mask{};      ///< A row where these bits are clear is exact.
};

struct Column {
  std::string name;
  Type type;
  std::string sql;                    ///< SQL expression over the table's row; empty: the quoted name.
  bool not_null = false;              ///< The store never holds NULL here. Otherwise a NULL string is read as ''.
  std::vector<Promotion> promotions;  ///< For string and dynamic columns that hold JSON text.
};

/// One of the engine's tables that a table is made of.
struct TablePart {
  std::string sql;  ///< What stands after FROM.
  /// What some of the table's SQL expressions are here, where the part is not like the others: by the expression.
  std::map<std::string, std::string, std::less<>> expressions;
  std::map<std::string, Mask, std::less<>> masks;  ///< Likewise, of the table's `exact_sql`.
};

/// Engine forms of the types: boolean BOOLEAN, int32 INTEGER, int64 BIGINT, real DOUBLE, string VARCHAR, datetime
/// TIMESTAMP, timespan BIGINT (ticks of 100 ns), guid UUID, dynamic VARCHAR or JSON (valid JSON text, or NULL), decimal
/// VARCHAR (its key, kql/native_decimal.h).
struct Table {
  std::string name;
  std::string sql;  ///< What stands after FROM: a quoted name, a view, a table function call; empty: the quoted name.
  std::vector<Column> columns;
  std::string time_column;      ///< The column Options::time_range applies to; empty: none.
  std::string ingestion_sql{};  ///< What ingestion_time() reads, a TIMESTAMP over the table's row; empty: null.
  /// Columns that a query may name as long as a column of the table is in scope, but that no `*`, getschema or result
  /// shows by itself. A union has those of its branches; summarize and join end them.
  std::vector<Column> hidden{};
  /// The rows of all of these in place of `sql`: each is asked for the columns a query needs and no others.
  std::shared_ptr<const std::vector<TablePart>> parts{};
};

/// A function that the workspace keeps: queries call it by name, as a scalar or as a table.
struct StoredFunction {
  std::string name;
  std::string text;  ///< "(a:long, b:string='x') { body }"; the brackets of the parameters are never left out.
};

/// All tables by name; names are case-sensitive, as everything in the language.
struct Schema {
  std::vector<Table> tables;
  std::vector<StoredFunction> functions{};  ///< A table of the same name wins.
  /// What `externaldata` may read: the address as the query writes it is the table's name.
  std::vector<Table> external{};
  std::string database{};  ///< What current_database() says; empty: the function is refused.
  /// There is a database of locations (register_location_function()); otherwise geo_info_from_ip_address() is refused.
  bool locations = false;

  /// nullptr: no such table.
  [[nodiscard]] const Table* find(std::string_view name) const;
  [[nodiscard]] const StoredFunction* find_function(std::string_view name) const;
};

}  // namespace picket::kql
