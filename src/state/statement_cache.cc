#include "statement_cache.h"

#include <map>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace picket::state {
namespace {

// SQLite before 3.44 cannot carry data of ours with a connection.
struct Connections {
  std::shared_mutex mutex;
  std::map<sqlite3*, StatementCache*> caches;
};
Connections& connections() {
  static Connections all;
  return all;
}

}  // namespace

StatementCache::StatementCache(sqlite3* db) : db_(db) {
  const std::unique_lock lock(connections().mutex);
  connections().caches[db] = this;
}

StatementCache::~StatementCache() {
  {
    const std::unique_lock lock(connections().mutex);
    connections().caches.erase(db_);
  }
  for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
}

StatementCache* StatementCache::of(sqlite3* db) {
  const std::shared_lock lock(connections().mutex);
  const auto found = connections().caches.find(db);
  return found == connections().caches.end() ? nullptr : found->second;
}

sqlite3_stmt* StatementCache::take(std::string_view sql) {
  const auto found = idle_.find(sql);
  return found == idle_.end() ? nullptr : std::exchange(found->second, nullptr);
}

void StatementCache::give_back(sqlite3_stmt* statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);  // keys must not stay in memory longer than needed
  const std::string_view sql(sqlite3_sql(statement));
  auto found = idle_.find(sql);
  if (found == idle_.end() && idle_.size() < kStatementsMax) found = idle_.emplace(sql, nullptr).first;
  if (found == idle_.end() || found->second != nullptr) {
    sqlite3_finalize(statement);
  } else {
    found->second = statement;
  }
}

}  // namespace picket::state
