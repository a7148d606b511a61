// Prepared statements of one connection, kept for their next use: preparing costs more than most of our look-ups.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include <sqlite3.h>

namespace picket::state {

/// Used by whoever holds the connection. At most kStatementsMax texts; others are prepared each time.
class StatementCache {
 public:
  static constexpr std::size_t kStatementsMax = 256;

  /// The connection's cache is found by its handle from now on.
  explicit StatementCache(sqlite3* db);
  /// Before the connection is closed.
  ~StatementCache();
  StatementCache(const StatementCache&) = delete;
  StatementCache& operator=(const StatementCache&) = delete;

  /// nullptr: no such connection has one.
  static StatementCache* of(sqlite3* db);

  /// nullptr: prepare it anew. The statement is the caller's until it is given back.
  sqlite3_stmt* take(std::string_view sql);
  void give_back(sqlite3_stmt* statement);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  sqlite3* db_;
  std::unordered_map<std::string, sqlite3_stmt*, Hash, std::equal_to<>> idle_;  ///< nullptr: it is in use.
};

}  // namespace picket::state
