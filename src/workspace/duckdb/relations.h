// The SQL that puts a query on top of what it pinned.
#pragma once

#include <set>
#include <string>

#include "duckdb/archive_check.h"
#include "duckdb/attachments.h"
#include "duckdb/hot_scan.h"
#include "workspace/query.h"
#include "workspace/schema.h"

namespace picket::workspace {

/// Wraps `request.sql` into WITH <relations> SELECT * FROM (<sql>) LIMIT rows_max + 1: each relation named in `used`,
/// and the tables below a view, becomes a common table expression over the hot rows and the segments of the snapshot
/// (those that hold the table and meet the request's times). Segments are attached through `leases`; files of the
/// archive are verified first.
Outcome<std::string> wrap_query(const QueryRequest& request, const std::set<std::string>& used, const Schema& schema,
                                const Layouts& layouts, const Snapshot& snapshot, std::uint64_t token,
                                AttachmentLeases& leases, ArchiveCheck& archive);

/// Whether wrap_query() adds a parameter, to be bound to null, behind the query's own. It has no type, which makes DuckDB
/// plan when the values are known: planned before, a comparison with a parameter prunes no row groups and reaches no
/// dictionary. Not where the text seems to use that number itself.
bool adds_parameter(const QueryRequest& request);

}  // namespace picket::workspace
