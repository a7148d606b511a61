#include "state/database.h"

#include <fcntl.h>
#include <sqlite3.h>

#include "base/core/file.h"
#include "group_commit.h"
#include "schema.h"
#include "statement.h"
#include "statement_cache.h"
#include "transaction.h"

namespace picket::state {
namespace {

Result<sqlite3*> connect(const std::string& path) {
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
    auto failed = sqlite_failed(db, "state.open");
    sqlite3_close(db);
    return failed;
  }
  sqlite3_busy_timeout(db, 5'000);
  if (auto done = execute(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"); !done) {
    sqlite3_close(db);
    return std::unexpected(done.error());
  }
  // The log and its index stay when the last connection closes: on a full disk a start could not make them anew.
  int stay = 1;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &stay);
  return db;
}

Result<> read_on(sqlite3* db, const std::function<Result<>(sqlite3*)>& body) {
  {
    TRY(auto begin, Statement::prepare(db, "BEGIN"));
    TRY_VOID(begin.run());
  }
  auto done = body(db);
  TRY(auto commit, Statement::prepare(db, "COMMIT"));
  TRY_VOID(commit.run());
  return done;
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  // Made here and not by SQLite, so that the file with the keys never has a moment of other permissions. The -wal and
  // -shm files take theirs from it.
  {
    TRY(const UniqueFd created, open_file(path, O_RDWR | O_CREAT, 0600));
  }
  std::unique_ptr<Database> out(new Database);
  TRY(out->writer_, connect(path));
  TRY_VOID(upgrade(out->writer_));
  TRY(out->reader_, connect(path));
  TRY(out->finder_, connect(path));
  sqlite3* const connections[] = {out->writer_, out->reader_, out->finder_};
  for (std::size_t i = 0; i < std::size(connections); ++i)
    out->caches_[i] = std::make_unique<StatementCache>(connections[i]);
  out->group_commit_ = std::make_unique<GroupCommit>(out->writer_, out->writer_mutex_);
  return out;
}

Database::Database() = default;

Database::~Database() {
  group_commit_.reset();
  for (auto& cache : caches_) cache.reset();
  sqlite3_close(finder_);
  sqlite3_close(reader_);
  sqlite3_close(writer_);
}

Result<> Database::write(const std::function<Result<>(sqlite3*)>& body) {
  if (is_together()) return in_savepoint(writer_, [&] { return body(writer_); });
  const std::scoped_lock lock(writer_mutex_);
  return in_transaction(writer_, [&] { return body(writer_); });
}

Result<> Database::write_together(const std::function<Result<>()>& body) {
  const std::scoped_lock lock(writer_mutex_);
  return in_transaction(writer_, [&] {
    together_.store(std::this_thread::get_id());
    auto done = body();
    together_.store(std::thread::id());
    return done;
  });
}

bool Database::is_together() const { return together_.load() == std::this_thread::get_id(); }

void Database::submit(std::move_only_function<Result<>(sqlite3*)> body, std::move_only_function<void(Result<>)> done) {
  group_commit_->submit(std::move(body), std::move(done));
}

DatabaseStats Database::stats() const { return group_commit_->stats(); }

Result<> Database::read(const std::function<Result<>(sqlite3*)>& body) {
  if (is_together()) return body(writer_);
  const std::scoped_lock lock(reader_mutex_);
  return read_on(reader_, body);
}

Result<> Database::look_up(const std::function<Result<>(sqlite3*)>& body) {
  if (is_together()) return body(writer_);
  const std::scoped_lock lock(finder_mutex_);
  return read_on(finder_, body);
}

}  // namespace picket::state
