// Query results as Parquet files.
#pragma once

#include <span>
#include <string>

#include "base/core/result.h"
#include "workspace/query.h"

namespace picket::workspace {

/// The bytes of a file with these rows, zstd-compressed. `names`: one a column, in place of the result's own. The file
/// is made in a folder of its own below the system's folder for temporary files, and removed. Errors: internal, io.
Result<std::string> to_parquet(const QueryResult& result, std::span<const std::string> names);

}  // namespace picket::workspace
