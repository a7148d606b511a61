// How long operators want single tables to be kept, in place of the server's settings.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

struct TableRetentionRow {
  std::string table;
  std::int64_t days = 0;          ///< In segments; 0: no limit, and no archive.
  std::int64_t archive_days = 0;  ///< After that, in the archive.
  std::string changed_by;
  Timestamp changed;
};

class TableRetentions {
 public:
  explicit TableRetentions(Database& database) : database_(database) {}

  /// With its audit record "retention.set". The caller has checked names and bounds.
  Result<> put(const TableRetentionRow& row, const Actor& actor, Timestamp now);
  /// The server's settings hold again; audit record "retention.reset". False: they did already.
  Result<bool> remove(std::string_view table, const Actor& actor, Timestamp now);
  /// By table.
  Result<std::vector<TableRetentionRow>> list() const;

 private:
  Database& database_;
};

}  // namespace picket::state
