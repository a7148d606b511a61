#include "workspace/damage.h"

#include <fmt/format.h>

namespace picket::workspace {
namespace {

std::string rows_of(const DamagedRows& rows) {
  std::string out = fmt::format("{} rows of {}", rows.rows, rows.table);
  if (rows.time_min > rows.time_max) return out;
  return out + fmt::format(" from {} to {}", format_rfc3339(rows.time_min), format_rfc3339(rows.time_max));
}

}  // namespace

std::string sentence(const DamagedFile& file) {
  std::string missing;
  for (const DamagedRows& rows : file.tables) missing += (missing.empty() ? "" : ", ") + rows_of(rows);
  return fmt::format(
      "{} {}: {} are missing (records {} to {}). Put the file back from a backup, at this place in the data directory: "
      "it is looked for every few seconds.",
      file.file, file.problem, missing, file.first, file.last);
}

}  // namespace picket::workspace
