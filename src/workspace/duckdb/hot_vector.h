// Hot chunks as DuckDB vectors: for queries and for the seal.
#pragma once

#include <optional>

#include "duckdb/api.h"
#include "duckdb/hot_rows.h"

namespace picket::workspace {

/// The DuckDB type of a column; json is VARCHAR that holds JSON text.
duckdb_type duckdb_type_of(ColumnType type);
/// Its name in DDL, e.g. "VARCHAR".
const char* sql_type_of(ColumnType type);

/// The bits that any row of the part has in an int64 column; nullopt: a row has null there.
std::optional<std::int64_t> bits_in(const HotArena& arena, const HotPart& part, std::size_t column);

/// Fills `out` with rows [0, part.rows) of a column. Texts are not copied: they point into the arena, which whoever
/// holds the generation keeps alive until the last chunk is consumed.
void fill_vector(const HotArena& arena, const HotPart& part, std::size_t column, ColumnType type, duckdb_vector out);

}  // namespace picket::workspace
