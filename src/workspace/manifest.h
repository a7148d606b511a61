// The manifest of one stream: the only truth of what is sealed (docs/formats/segments.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::workspace {

/// What one table has in a segment.
struct TableExtent {
  std::string table;
  std::uint64_t rows = 0;
  Timestamp time_min;  ///< Of the table's time column; min > max: no row has a time.
  Timestamp time_max;

  friend bool operator==(const TableExtent&, const TableExtent&) = default;
};

/// One immutable file: all rows of the records first..last.
struct SegmentInfo {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t bytes = 0;
  Timestamp sealed;
  std::vector<TableExtent> tables;

  [[nodiscard]] std::uint64_t rows() const;
  [[nodiscard]] const TableExtent* find(std::string_view table) const;
  /// Time by which retention judges it: the newest row's, or of the seal when no row has a time or it lies ahead.
  [[nodiscard]] Timestamp age_reference() const;
  friend bool operator==(const SegmentInfo&, const SegmentInfo&) = default;
};

/// "<first>-<last>.duckdb", 20 digits each, so that names sort by position.
std::string segment_file_name(std::uint64_t first, std::uint64_t last);

inline constexpr std::uint32_t kManifestFormat = 1;
inline constexpr std::size_t kSegmentsMax = 65'536;          ///< Of one stream.
inline constexpr std::size_t kManifestBytesMax = 64U << 20;  ///< A larger file is refused.

struct Manifest {
  std::string stream;
  std::uint64_t version = 0;          ///< Grows by one with each change.
  std::uint64_t last = 0;             ///< Every record up to here is sealed (or had no rows, or was dropped).
  std::uint64_t dropped_through = 0;  ///< Segments up to here were dropped by retention.
  std::vector<SegmentInfo> segments;  ///< Ascending, not overlapping, none above `last`.

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

std::string encode_manifest(const Manifest& manifest);
/// Errors: malformed (with the byte offset of the line), truncated, unsupported "workspace.manifest.format" (newer).
Result<Manifest> decode_manifest(std::string_view text);

}  // namespace picket::workspace
