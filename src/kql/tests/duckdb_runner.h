// Runs compiled queries on a DuckDB.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include <duckdb.h>

#include "kql/compile.h"

namespace picket::kql::testing {

class DuckdbRunner {
 public:
  /// A database file, which stays; in memory where `path` is empty.
  explicit DuckdbRunner(const std::string& path = {});
  ~DuckdbRunner();
  DuckdbRunner(const DuckdbRunner&) = delete;
  DuckdbRunner& operator=(const DuckdbRunner&) = delete;

  /// Gives geo_info_from_ip_address() the database at `path`.
  void use_locations(const std::string& path);
  /// Statements that set up tables. Fails the test on an error.
  void execute(const std::string& sql);
  /// Rows as the case files write them; the error text of DuckDB otherwise.
  std::expected<std::vector<std::string>, std::string> run(const CompiledQuery& query);

 private:
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

}  // namespace picket::kql::testing
