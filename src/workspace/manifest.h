// The manifest of one stream: the only truth of what is sealed (docs/formats/segments.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::workspace {

/// What one table has in a segment: in the segment's file, or in a Parquet file of its own (the archive).
struct TableExtent {
  std::string table;
  std::uint64_t rows = 0;
  Timestamp time_min;  ///< Of the table's time column; min > max: no row has a time.
  Timestamp time_max;
  bool archived = false;
  std::uint64_t bytes = 0;  ///< Of the Parquet file; 0: it is in the segment's file.
  std::uint32_t crc = 0;    ///< CRC-32C of the Parquet file.

  friend bool operator==(const TableExtent&, const TableExtent&) = default;
};

/// All rows of the records first..last, in files that never change.
struct SegmentInfo {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  std::uint64_t bytes = 0;  ///< Of the segment's file; 0: there is none any more, all tables are archived.
  Timestamp sealed;
  std::vector<TableExtent> tables;
  std::uint32_t revision = 0;  ///< Grows when tables leave the file, which is written anew then.

  [[nodiscard]] std::uint64_t rows() const;
  [[nodiscard]] std::uint64_t bytes_total() const;  ///< With the archived tables.
  [[nodiscard]] bool has_archived() const;
  /// Its files, relative to the folder of the stream.
  [[nodiscard]] std::vector<std::string> files() const;
  [[nodiscard]] const TableExtent* find(std::string_view table) const;
  /// Time by which retention judges it: the newest row's, or of the seal when no row has a time or it lies ahead.
  [[nodiscard]] Timestamp age_reference() const;
  friend bool operator==(const SegmentInfo&, const SegmentInfo&) = default;
};

/// Time by which retention judges rows: of the newest of them, or of the seal when none has a time or it lies ahead.
Timestamp age_reference(const TableExtent& extent, Timestamp sealed);

/// "<first>-<last>.duckdb", 20 digits each, so that names sort by position; ".<revision>" before the end, if not 0.
std::string segment_file_name(std::uint64_t first, std::uint64_t last, std::uint32_t revision = 0);
std::string segment_file_name(const SegmentInfo& segment);

inline constexpr std::string_view kArchiveFolder = "archive";
/// "archive/<table>/<first>-<last>.parquet".
std::string archive_file_name(const SegmentInfo& segment, std::string_view table);

inline constexpr std::uint32_t kManifestFormat = 2;          ///< Written; 1 (no archive, no revisions) is read too.
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
