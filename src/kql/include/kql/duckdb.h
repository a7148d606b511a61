// The functions of native_functions.h inside DuckDB. Library picket::kql_duckdb; the rest of the module knows no
// engine.
#pragma once

#include <duckdb.h>

#include "base/core/result.h"

namespace picket::kql {

/// Registers all kql_* functions in the instance behind `connection`; once an instance is enough.
/// Errors: internal ("kql.duckdb.register"): DuckDB refused, or they are registered already.
Result<> register_kql_functions(duckdb_connection connection);

}  // namespace picket::kql
