// Query results as files.
#pragma once

#include <string>

#include "base/core/result.h"
#include "kql_run.h"

namespace picket::api {

/// RFC 4180 with CR LF, names in the first line, UTF-8. Null is an empty field; a text that a spreadsheet would take
/// for a formula gets an apostrophe in front.
std::string csv_of(const KqlTable& table);

/// Parquet, zstd. A datetime is a TIMESTAMP, a timespan its ticks (INT64), dynamic and guid are text. Errors: internal.
Result<std::string> parquet_of(const KqlTable& table);

}  // namespace picket::api
