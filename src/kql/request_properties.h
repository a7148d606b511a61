// The request properties that change what a query gives.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ast.h"
#include "kql/compile.h"

namespace picket::kql {

struct Applied {
  Options options;
  std::optional<std::int64_t> rows_max{};  ///< query_take_max_records, of each result.
};

/// `options` as options.properties and then the text's own `set` statements change them: query_now,
/// query_datetimescope_from, _to and _column (a table's time column; another is refused), query_take_max_records.
/// query_language may only be this language. Cursors and query_results_apply_getschema are refused. Properties that
/// steer Microsoft's engine (caching, memory, consistency), and the runner's (limits, shape of the answer), are passed
/// over. Errors: unsupported, arguments.
Checked<Applied> apply_properties(const ast::Query& query, const Schema& schema, const Options& options);

}  // namespace picket::kql
