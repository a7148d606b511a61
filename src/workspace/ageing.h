// What retention asks of segments: whose tables go to the archive, whose leave.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "manifest.h"
#include "workspace/workspace.h"

namespace picket::workspace {

/// What becomes of the rows that one table has in a segment.
enum class Fate : std::uint8_t { stay, archive, drop };

/// By its age at `now`: rows stay for `keep`, then are archived for `archive`, then dropped. An archived table never
/// comes back into a segment's file when the limits are made longer.
Fate fate_of(const TableExtent& extent, Timestamp sealed, const TableRetention& retention, Timestamp now);

/// The limits of a table, by name.
using RetentionOf = std::function<TableRetention(std::string_view table)>;

/// One segment that some of its tables must leave. Segments that all tables leave are not chosen: they are dropped
/// whole.
struct Ageing {
  std::size_t segment = 0;
  std::vector<std::string> archive;  ///< From the segment's file into Parquet files.
  std::vector<std::string> drop;     ///< From the segment's file or from the archive.

  friend bool operator==(const Ageing&, const Ageing&) = default;
};

/// The oldest segment with something to do. `can_rewrite`: the file can be written anew without what leaves it.
std::optional<Ageing> choose_ageing(std::span<const SegmentInfo> segments, const RetentionOf& retention,
                                    const std::function<bool(const SegmentInfo&)>& can_rewrite, Timestamp now);

}  // namespace picket::workspace
