// The second half of register_kql_functions().
#pragma once

#include <duckdb.h>

#include "base/core/result.h"

namespace picket::kql {

Result<> register_families(duckdb_connection connection);

}  // namespace picket::kql
