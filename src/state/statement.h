// RAII around a prepared statement. Private to this module.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sqlite3.h>

#include "base/core/result.h"
#include "base/core/time.h"
#include "statement_cache.h"

namespace picket::state {

/// Writes SQLite's text of the failure to the log and makes an Error of it: exists for a broken UNIQUE or primary key,
/// io for disk failures, else internal.
std::unexpected<Error> sqlite_failed(sqlite3* db, std::string_view where);

/// One or more statements without results.
Result<> execute(sqlite3* db, const char* sql);

/// One statement: bind in order, then step. Values are bound, never spliced into the text.
/// It goes back to the connection's cache at its end, so give constant texts.
class Statement {
 public:
  static Result<Statement> prepare(sqlite3* db, std::string_view sql);
  Statement(Statement&& other) noexcept
      : handle_(std::exchange(other.handle_, nullptr)), cache_(other.cache_), bound_(other.bound_) {}
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  template <class... Values>
  Statement& bind(const Values&... values) {
    (bind_one(values), ...);
    return *this;
  }
  /// True: a row is there; false: done.
  Result<bool> step();
  /// Ready to be bound and stepped again.
  Statement& reset();
  /// Steps to the end and calls `use()` at each row.
  template <class Use>
  Result<> each(Use use);
  /// Steps to the end; for statements without rows.
  Result<> run();

  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const { return sqlite3_column_int64(handle_, column); }
  [[nodiscard]] Timestamp time(int column) const { return {integer(column)}; }

 private:
  Statement(sqlite3_stmt* handle, StatementCache* cache) : handle_(handle), cache_(cache) {}
  void bind_one(std::string_view text) {
    sqlite3_bind_text64(handle_, ++bound_, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_TRANSIENT,
                        SQLITE_UTF8);
  }
  void bind_one(std::int64_t number) { sqlite3_bind_int64(handle_, ++bound_, number); }
  void bind_one(Timestamp time) { bind_one(time.us); }

  sqlite3_stmt* handle_ = nullptr;
  StatementCache* cache_ = nullptr;  ///< nullptr: the connection has none.
  int bound_ = 0;
};

template <class Use>
Result<> Statement::each(Use use) {
  for (;;) {
    TRY(const bool row, step());
    if (!row) return {};
    use();
  }
}

/// What `read(statement)` makes of each row.
template <class Read>
auto all_rows(Statement& statement, Read read) -> Result<std::vector<decltype(read(statement))>> {
  std::vector<decltype(read(statement))> out;
  TRY_VOID(statement.each([&] { out.push_back(read(statement)); }));
  return out;
}

}  // namespace picket::state
