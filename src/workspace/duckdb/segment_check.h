// Whether a segment's file holds what its manifest says.
#pragma once

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "duckdb/api.h"
#include "manifest.h"

namespace picket::workspace {

/// Whether DuckDB's words mean that a file is not as it was written, rather than that memory, time or descriptors ran
/// out.
bool tells_of_damage(std::string_view text);

/// Number of rows and their records, from what the attached file says of itself: finds another's file under this name.
/// The problem for DamageBook; nullopt: as the manifest says. Errors: whatever else keeps the answer away.
Outcome<std::optional<std::string>> check_counts(const Connection& connection, std::string_view alias,
                                                 const SegmentInfo& segment, const TableExtent& extent);

/// Reads every block that the table has in the attached file. As check_counts().
Outcome<std::optional<std::string>> check_content(const Connection& connection, std::string_view alias,
                                                  std::string_view table);

/// The same for all tables of a segment that is attached nowhere, by the store instance; with the counts.
Outcome<std::optional<std::string>> check_file(const Connection& connection, const std::string& path,
                                               const SegmentInfo& segment);

/// Tables of files that were found to be right; thread-safe.
class CheckedTables {
 public:
  [[nodiscard]] bool contains(const std::string& path, std::string_view table) const;
  void insert(const std::string& path, std::string_view table);
  void forget(const std::string& path);

 private:
  mutable std::mutex mutex_;
  std::set<std::pair<std::string, std::string>> tables_;
};

}  // namespace picket::workspace
