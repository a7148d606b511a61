// How far a reader of a stream has come, kept in the transaction of what it wrote. Private to this module.
#pragma once

#include <string>
#include <string_view>

#include "state/database.h"
#include "statement.h"

namespace picket::state {

/// The reader of the derived stream has one position for alerts and incidents.
inline constexpr std::string_view kAlertsProjection = "alerts";
inline constexpr std::string_view kRecommendationsProjection = "recommendations";

inline Result<> keep_position(sqlite3* db, std::string_view name, std::string_view position) {
  TRY(auto statement, Statement::prepare(db,
                                         "INSERT INTO projection (name, position) VALUES (?,?) "
                                         "ON CONFLICT (name) DO UPDATE SET position = excluded.position"));
  return statement.bind(name, position).run();
}

/// Empty when nothing was kept yet.
inline Result<std::string> position_of(Database& database, std::string_view name) {
  std::string out;
  TRY_VOID(database.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "SELECT position FROM projection WHERE name = ?"));
    TRY(const bool found, statement.bind(name).step());
    if (found) out = statement.text(0);
    return {};
  }));
  return out;
}

}  // namespace picket::state
