#include "alert_row.h"

#include <fmt/format.h>

namespace picket::state {

Alert alert_of(const Statement& row) {
  return {row.text(0),
          row.text(1),
          row.text(2),
          row.text(3),
          row.text(4),
          row.text(5),
          row.text(6),
          row.text(7),
          row.time(8),
          row.time(9),
          row.time(10),
          static_cast<std::uint32_t>(row.integer(11)),
          row.text(12),
          row.text(13),
          row.text(14),
          row.text(15),
          static_cast<std::uint64_t>(row.integer(16)),
          row.text(17),
          row.time(18)};
}

Result<Alert> find_alert(sqlite3* db, std::string_view alert_id) {
  TRY(auto statement, Statement::prepare(db, fmt::format("SELECT {} FROM alert WHERE alert_id = ?", kAlertColumns)));
  TRY(const bool found, statement.bind(alert_id).step());
  if (!found) return fail(Errc::not_found, "alert");
  return alert_of(statement);
}

}  // namespace picket::state
