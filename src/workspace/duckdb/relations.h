// The SQL that puts a query on top of what it pinned.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "damage_book.h"
#include "duckdb/archive_check.h"
#include "duckdb/attachments.h"
#include "duckdb/hot_scan.h"
#include "duckdb/part_facts.h"
#include "duckdb/segment_check.h"
#include "duckdb/sql_guard.h"
#include "workspace/query.h"
#include "workspace/schema.h"

namespace picket::workspace {

/// One table of one file that a query reads.
struct QuerySource {
  std::string path;
  std::string alias;                     ///< Empty: a file of the archive.
  const SegmentInfo* segment = nullptr;  ///< Lives as long as the snapshot.
  const TableExtent* extent = nullptr;
};

/// How a query comes to the files of its snapshot, and what it found there.
struct QueryFiles {
  AttachmentLeases& leases;
  ArchiveCheck& archive;
  PartFacts& facts;
  CheckedTables& checked;
  DamageBook& damage;
  const Connection& connection;
  std::vector<QuerySource> sources;  ///< Filled by wrap_query(): what is read,
  std::vector<DamagedFile> missing;  ///< and what is not there to be read.
};

struct WrappedQuery {
  std::string sql;
  /// There is a parameter, to be bound to null, behind the query's own. It has no type, which makes DuckDB plan when
  /// the values are known: planned before, a comparison with a parameter prunes no row groups and reaches no
  /// dictionary. It stands at the first piece of each table, so that DuckDB gives up its first attempt early.
  bool adds_parameter = false;
};

/// Wraps `request.sql` into WITH <relations> SELECT * FROM (<sql>) LIMIT rows_max + 1: each relation that it uses, and
/// the tables below a view, becomes a common table expression over the hot rows and the segments of the snapshot (those
/// that hold the table and meet the request's times), of the columns that it mentions and its computed ones. Segments
/// are attached through `files.leases`; files of the archive are verified first. Lost and damaged files are left out,
/// and stand in `files.missing`.
Outcome<WrappedQuery> wrap_query(const QueryRequest& request, const SqlUse& use, const Schema& schema,
                                 const Layouts& layouts, const Snapshot& snapshot, std::uint64_t token,
                                 QueryFiles& files);

}  // namespace picket::workspace
