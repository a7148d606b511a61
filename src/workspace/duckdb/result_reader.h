// DuckDB's result chunks as owned columns.
#pragma once

#include "duckdb/api.h"
#include "workspace/query.h"

namespace picket::workspace {

/// Columns of a result without rows. Integers up to 32 bits become int32, UINTEGER to HUGEINT int64, FLOAT, DOUBLE and
/// DECIMAL real, DATE and the TIMESTAMP types timestamp, VARCHAR text, JSON json. Errors (invalid): any other type.
std::expected<QueryResult, QueryError> make_result(duckdb_result* result);

/// Adds the rows of a chunk as far as rows_max and bytes_max allow; sets `truncated`. False: no more are wanted.
/// Errors (invalid): an integer beyond 64 bits.
std::expected<bool, QueryError> add_chunk(duckdb_data_chunk chunk, const QueryRequest& request, QueryResult& out);

}  // namespace picket::workspace
