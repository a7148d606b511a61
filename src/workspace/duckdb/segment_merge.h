// Makes one segment of several neighbours, in steps, so that a seal never waits long for it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "duckdb/api.h"
#include "duckdb/hot_rows.h"
#include "duckdb/sliced_statement.h"
#include "manifest.h"

namespace picket::workspace {

/// One merge under way. Not thread-safe. Destroyed before it is finished, it leaves nothing behind.
class SegmentMerge {
 public:
  /// `sources`: neighbours in ascending order, in `directory`; of one alone, the result is its next `revision`. Tables
  /// that are archived are passed by.
  static Outcome<std::unique_ptr<SegmentMerge>> begin(const Database& store, const Layouts& layouts,
                                                      std::string directory, std::vector<SegmentInfo> sources,
                                                      std::uint32_t revision = 0);
  SegmentMerge(const SegmentMerge&) = delete;
  SegmentMerge& operator=(const SegmentMerge&) = delete;
  ~SegmentMerge();

  /// Copies for a moment. True: all sources are copied, call finish().
  Outcome<bool> step();
  /// Makes the file durable under its name.
  Outcome<SegmentInfo> finish();

  [[nodiscard]] const std::vector<SegmentInfo>& sources() const { return sources_; }

 private:
  SegmentMerge(const Layouts& layouts, std::string directory, std::vector<SegmentInfo> sources, std::uint32_t revision);

  Outcome<> start(const Database& store);
  Outcome<> begin_copy(const TableExtent& extent, const std::string& source);
  void detach_sources();

  const Layouts& layouts_;
  std::string directory_;
  std::vector<SegmentInfo> sources_;
  std::string final_path_;
  std::string path_;
  Connection connection_;
  std::uint32_t revision_;
  std::vector<std::pair<TableExtent, std::string>> copies_;  ///< What is to do, and the source's alias.
  std::size_t next_ = 0;
  std::unique_ptr<SlicedStatement> statement_;
  std::vector<TableExtent> made_;
  bool finished_ = false;
};

/// Merging rewrites the rows of known tables only: a segment with another table (of a later version) stays as it is.
bool can_merge(const Layouts& layouts, const SegmentInfo& segment);

}  // namespace picket::workspace
