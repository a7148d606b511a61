// Files of the workspace that are lost or cannot be read: which, what is missing with them, and what to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/core/time.h"

namespace picket::workspace {

/// What one table has in the file.
struct DamagedRows {
  std::string table;
  std::uint64_t rows = 0;
  Timestamp time_min;  ///< Of the table's time column; min > max: no row has a time.
  Timestamp time_max;

  friend bool operator==(const DamagedRows&, const DamagedRows&) = default;
};

/// A file that the manifest names and that does not hold what it should. Nothing of it is shown; everything else is.
struct DamagedFile {
  std::string file;     ///< Relative to the data directory, "segments/messages/…".
  std::string problem;  ///< "is lost", "is cut: it has 10 of 2048 bytes", "is damaged: …", "is not the file that was
                        ///< sealed: …".
  std::uint64_t first = 0;  ///< Records of the stream that it has rows of.
  std::uint64_t last = 0;
  std::vector<DamagedRows> tables;

  friend bool operator==(const DamagedFile&, const DamagedFile&) = default;
};

/// "segments/messages/….duckdb is lost: 12 rows of ProcessEvents from … to …, records 1 to 9. Put it back from a backup
/// …"
std::string sentence(const DamagedFile& file);

}  // namespace picket::workspace
