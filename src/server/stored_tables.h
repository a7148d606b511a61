// The workspace as queries see it: its tables, stored functions and places of addresses.
#pragma once

#include <memory>
#include <string>

#include "kql/location_file.h"
#include "kql/schema.h"
#include "storage.h"
#include "workspace/workspace.h"

namespace picket::server {

/// Any thread.
class StoredTables {
 public:
  /// With the retention of the settings, and over it what operators have decided. Errors: not_found
  /// "server.table_retention" (the settings name a table that is none), those of the workspace; a sentence goes to
  /// `detail`. `storage` outlives it.
  static Result<std::unique_ptr<StoredTables>> open(const Options& options, Storage& storage, std::string& detail);

  [[nodiscard]] workspace::Workspace& workspace() const { return *workspace_; }
  [[nodiscard]] const workspace::Schema& schema() const { return schema_; }
  /// Without what changes while the server runs.
  [[nodiscard]] const kql::Schema& query_schema() const { return query_schema_; }
  /// With the stored functions of the moment.
  [[nodiscard]] kql::Schema query_schema_now() const;
  /// Asked before each query: a database of places that was replaced is read again.
  [[nodiscard]] bool has_locations() const;

 private:
  StoredTables(const Options& options, const state::SavedQueries& saved_queries);

  const std::string hub_;
  const state::SavedQueries& saved_queries_;
  const workspace::Schema schema_;
  const kql::Schema query_schema_;
  std::shared_ptr<kql::LocationFile> locations_;  ///< Shared with the function in the engine; nullptr: none named.
  std::unique_ptr<workspace::Workspace> workspace_;
};

}  // namespace picket::server
