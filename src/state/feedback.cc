#include "state/feedback.h"

#include <sqlite3.h>

#include "statement.h"

namespace picket::state {

extern const char* const kFeedbackSchema;
const char* const kFeedbackSchema = R"sql(
CREATE TABLE command_feedback (
  id INTEGER PRIMARY KEY AUTOINCREMENT, hub TEXT NOT NULL, created INTEGER NOT NULL, original_message_id TEXT NOT NULL,
  status TEXT NOT NULL, description TEXT NOT NULL, device_id TEXT NOT NULL, generation_id TEXT NOT NULL);
CREATE INDEX command_feedback_hub ON command_feedback (hub, id, created);
)sql";

Result<> FeedbackTable::insert(sqlite3* db, const StoredFeedback& feedback) {
  TRY(auto statement,
      Statement::prepare(db,
                         "INSERT INTO command_feedback (hub, created, original_message_id, status, description, "
                         "device_id, generation_id) VALUES (?,?,?,?,?,?,?)"));
  return statement
      .bind(feedback.hub, feedback.created, feedback.original_message_id, feedback.status, feedback.description,
            feedback.device_id, feedback.generation_id)
      .run();
}

Result<std::vector<FeedbackHead>> FeedbackTable::heads(sqlite3* db, std::string_view hub, std::size_t count_max) {
  TRY(auto statement,
      Statement::prepare(db, "SELECT id, created FROM command_feedback WHERE hub = ? ORDER BY id LIMIT ?"));
  statement.bind(hub, static_cast<std::int64_t>(count_max));
  std::vector<FeedbackHead> out;
  TRY_VOID(statement.each([&] { out.push_back({statement.integer(0), statement.time(1)}); }));
  return out;
}

Result<std::vector<StoredFeedback>> FeedbackTable::range(sqlite3* db, std::string_view hub, std::int64_t first,
                                                         std::int64_t last) {
  TRY(auto statement,
      Statement::prepare(db,
                         "SELECT id, hub, created, original_message_id, status, description, device_id, generation_id "
                         "FROM command_feedback WHERE hub = ? AND id BETWEEN ? AND ? ORDER BY id"));
  statement.bind(hub, first, last);
  std::vector<StoredFeedback> out;
  TRY_VOID(statement.each([&] {
    out.push_back({statement.integer(0), statement.text(1), statement.time(2), statement.text(3), statement.text(4),
                   statement.text(5), statement.text(6), statement.text(7)});
  }));
  return out;
}

Result<std::uint64_t> FeedbackTable::remove_range(sqlite3* db, std::string_view hub, std::int64_t first,
                                                  std::int64_t last) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM command_feedback WHERE hub = ? AND id BETWEEN ? AND ?"));
  TRY_VOID(statement.bind(hub, first, last).run());
  return static_cast<std::uint64_t>(sqlite3_changes(db));
}

Result<std::vector<std::string>> FeedbackTable::hubs(sqlite3* db) {
  TRY(auto statement, Statement::prepare(db, "SELECT DISTINCT hub FROM command_feedback"));
  std::vector<std::string> out;
  TRY_VOID(statement.each([&] { out.push_back(statement.text(0)); }));
  return out;
}

Result<std::uint64_t> FeedbackTable::trim(sqlite3* db, Timestamp before, std::uint64_t kept_max) {
  std::uint64_t removed = 0;
  TRY(auto old, Statement::prepare(db, "DELETE FROM command_feedback WHERE created < ?"));
  TRY_VOID(old.bind(before).run());
  removed += static_cast<std::uint64_t>(sqlite3_changes(db));
  TRY(const auto names, hubs(db));
  for (const auto& hub : names) {
    // The newest that has to go: the one that kept_max newer ones follow.
    TRY(auto surplus, Statement::prepare(db,
                                         "DELETE FROM command_feedback WHERE hub = ?1 AND id <= (SELECT id FROM "
                                         "command_feedback WHERE hub = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"));
    TRY_VOID(surplus.bind(hub, static_cast<std::int64_t>(kept_max)).run());
    removed += static_cast<std::uint64_t>(sqlite3_changes(db));
  }
  return removed;
}

}  // namespace picket::state
