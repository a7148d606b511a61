// Tables of a segment as Parquet files: the archive (docs/formats/segments.md).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duckdb/api.h"
#include "duckdb/sliced_statement.h"
#include "manifest.h"

namespace picket::workspace {

/// Writes the files of one segment under temporary names, in steps. Not thread-safe. Destroyed before finish(), it
/// leaves nothing behind.
class ArchiveWriter {
 public:
  /// `tables`: names of tables that are in the file of `source`; `directory`: of the stream.
  static Outcome<std::unique_ptr<ArchiveWriter>> begin(const Database& store, std::string directory,
                                                       const SegmentInfo& source, std::vector<std::string> tables);
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;
  ~ArchiveWriter();

  /// Works for a moment. True: all are written, call finish().
  Outcome<bool> step();
  /// Makes the files durable under their names and returns what the manifest says of them. The file of the segment is
  /// not open any more.
  Outcome<std::vector<TableExtent>> finish();

 private:
  ArchiveWriter(std::string directory, const SegmentInfo& source, std::vector<std::string> tables)
      : directory_(std::move(directory)), source_(source), tables_(std::move(tables)) {}

  Outcome<> start(const Database& store);
  [[nodiscard]] std::string path_of(const std::string& table) const;
  void detach();

  std::string directory_;
  SegmentInfo source_;
  std::vector<std::string> tables_;
  Connection connection_;
  std::size_t next_ = 0;
  std::vector<TableExtent> made_;
  bool finished_ = false;
  std::unique_ptr<SlicedStatement> statement_;  // before connection_ goes
};

/// CRC-32C of a whole file. Errors: io; malformed "workspace.archive.size" (it has another size than `bytes`).
Result<std::uint32_t> file_crc(const std::string& path, std::uint64_t bytes);

}  // namespace picket::workspace
