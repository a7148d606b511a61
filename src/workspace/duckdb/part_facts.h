// What is known of the tables in sealed files.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "duckdb/api.h"

namespace picket::workspace {

/// One table of one file.
struct Part {
  std::string path;
  std::string table;
  std::string from;  ///< What stands after FROM: the attached table, or read_parquet(…).
};

/// Sealed files never change, so what was read of one stays true until it is removed. Asked through the connection of
/// the query that wants to know, so that its time limit holds. Thread-safe.
class PartFacts {
 public:
  /// The names of its columns: a file may be older than a column of the schema.
  Outcome<std::shared_ptr<const std::set<std::string>>> columns(const Connection& connection, const Part& part);
  /// The bits that any row has in a column of whole numbers; nullopt: a row has NULL there, or there is no such column.
  Outcome<std::optional<std::int64_t>> bits(const Connection& connection, const Part& part, const std::string& column);
  /// The file is about to be removed.
  void forget(const std::string& path);

 private:
  struct Facts {
    std::shared_ptr<const std::set<std::string>> columns;
    std::map<std::string, std::optional<std::int64_t>> bits;
  };

  std::mutex mutex_;
  std::map<std::string, std::map<std::string, Facts>> facts_;  // by path and table
};

}  // namespace picket::workspace
