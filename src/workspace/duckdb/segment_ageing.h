// Takes tables out of a segment that have become old: into the archive, or away.
#pragma once

#include <memory>
#include <string>

#include "ageing.h"
#include "duckdb/archive_writer.h"
#include "duckdb/segment_merge.h"

namespace picket::workspace {

/// One ageing under way: first the archive's files, then the segment's file without what has left it. In steps, so that
/// a seal never waits long for it. Not thread-safe. Destroyed without keep(), it leaves nothing behind.
class SegmentAgeing {
 public:
  static Outcome<std::unique_ptr<SegmentAgeing>> begin(const Database& store, const Layouts& layouts,
                                                       std::string directory, SegmentInfo source, const Ageing& plan);
  SegmentAgeing(const SegmentAgeing&) = delete;
  SegmentAgeing& operator=(const SegmentAgeing&) = delete;
  ~SegmentAgeing();

  /// True: all is written, call finish().
  Outcome<bool> step();
  /// Makes the files durable under their names. The result stands in the place of source() in the manifest.
  Outcome<SegmentInfo> finish();
  /// The manifest names the files now: they are kept.
  void keep() { kept_ = true; }

  [[nodiscard]] const SegmentInfo& source() const { return source_; }

 private:
  SegmentAgeing(const Database& store, const Layouts& layouts, std::string directory, SegmentInfo source)
      : store_(store), layouts_(layouts), directory_(std::move(directory)), source_(std::move(source)) {}

  /// The rest of the segment's file, as a file of the next revision.
  Outcome<> begin_rest();

  const Database& store_;
  const Layouts& layouts_;
  const std::string directory_;
  const SegmentInfo source_;
  SegmentInfo made_;               ///< Grows to the result.
  std::vector<TableExtent> rest_;  ///< Tables that stay in the segment's file.
  bool kept_ = false;
  std::unique_ptr<ArchiveWriter> archive_;
  std::unique_ptr<SegmentMerge> rewrite_;
};

}  // namespace picket::workspace
