// Whether files of the archive are as they were written.
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "duckdb/api.h"
#include "manifest.h"

namespace picket::workspace {

/// Parquet files carry no sums that DuckDB would check, so that a changed bit could change an answer: each file is read
/// once by its CRC-32C before the first query sees it. Thread-safe.
class ArchiveCheck {
 public:
  /// Errors: malformed "workspace.archive.damaged", io; the text names the file.
  Outcome<> verify(const std::string& path, const TableExtent& extent);
  /// The file is about to be removed.
  void forget(const std::string& path);

 private:
  std::mutex mutex_;
  std::set<std::string> good_;
};

}  // namespace picket::workspace
