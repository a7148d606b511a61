#include "statement.h"

#include "base/server/log.h"

namespace picket::state {

std::unexpected<Error> sqlite_failed(sqlite3* db, std::string_view where) {
  const int code = sqlite3_extended_errcode(db);
  if (code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_UNIQUE) return fail(Errc::exists, where);
  log::error("state", "{}: {} ({})", where, sqlite3_errmsg(db), code);
  const int primary = code & 0xFF;
  const bool disk =
      primary == SQLITE_IOERR || primary == SQLITE_FULL || primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY;
  return fail(disk ? Errc::io : Errc::internal, where);
}

Result<> execute(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return sqlite_failed(db, "state.execute");
  return {};
}

Result<Statement> Statement::prepare(sqlite3* db, std::string_view sql) {
  auto* const cache = StatementCache::of(db);
  sqlite3_stmt* handle = cache == nullptr ? nullptr : cache->take(sql);
  if (handle == nullptr &&
      sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &handle, nullptr) != SQLITE_OK) {
    return sqlite_failed(db, "state.prepare");
  }
  return Statement(handle, cache);
}

Statement::~Statement() {
  if (handle_ == nullptr) return;
  if (cache_ != nullptr) {
    cache_->give_back(handle_);
  } else {
    sqlite3_finalize(handle_);
  }
}

Statement& Statement::reset() {
  sqlite3_reset(handle_);
  bound_ = 0;
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(handle_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return sqlite_failed(sqlite3_db_handle(handle_), "state.step");
}

Result<> Statement::run() {
  for (;;) {
    TRY(const bool row, step());
    if (!row) return {};
  }
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(handle_, column));
  return data == nullptr ? std::string()
                         : std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column)));
}

}  // namespace picket::state
