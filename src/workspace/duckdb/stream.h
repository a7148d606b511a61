// One stream: its hot rows, its manifest, its segments, and snapshots of the three together.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ageing.h"
#include "damage_book.h"
#include "duckdb/hot_rows.h"
#include "manifest.h"
#include "workspace/workspace.h"

namespace picket::workspace {

/// Paths of segment files that are in no manifest any more and that no reader holds.
class Graveyard {
 public:
  void bury(std::string path);
  std::vector<std::string> take();

 private:
  std::mutex mutex_;
  std::vector<std::string> paths_;
};

/// Sealed files, shared by the stream's current list and the snapshots that still read them. When the last of them lets
/// go of a segment that was replaced or dropped, the paths of its files go to the graveyard.
class Segment {
 public:
  Segment(SegmentInfo info, std::string directory, Graveyard& graveyard)
      : info_(std::move(info)), directory_(std::move(directory)), graveyard_(graveyard) {}
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment();

  [[nodiscard]] const SegmentInfo& info() const { return info_; }
  [[nodiscard]] std::string path() const { return directory_ + "/" + segment_file_name(info_); }
  [[nodiscard]] std::string archive_path(std::string_view table) const {
    return directory_ + "/" + archive_file_name(info_, table);
  }
  /// Its files are not wanted any more, but those that `heir` has too. Called once, by the stream.
  void retire(const SegmentInfo* heir = nullptr);

 private:
  SegmentInfo info_;
  std::string directory_;
  Graveyard& graveyard_;
  std::vector<std::string> unwanted_;  ///< Written under the stream's lock, read by the last owner.
};

using SegmentPtr = std::shared_ptr<Segment>;  // sharers: the stream, snapshots

/// What a query sees of a stream: one manifest version and the hot rows above its end, taken together.
struct PinnedStream {
  std::string stream;
  std::uint64_t manifest_version = 0;
  std::uint64_t visible_through = 0;
  std::vector<SegmentPtr> segments;
  std::vector<std::shared_ptr<const HotGeneration>> generations;
  /// By generation, then by TableIndex.
  std::vector<std::vector<std::vector<HotPart>>> hot;
};

struct StreamPositions {
  std::uint64_t sealed_through = 0;
  std::uint64_t hot_end = 0;
  std::uint64_t dropped_through = 0;
};

struct StreamLimits {
  std::uint64_t hot_rows_max = 0;
  std::uint64_t hot_bytes_max = 0;
  std::uint64_t seal_rows = 0;
  std::uint64_t seal_bytes = 0;
  Duration seal_age;
};

/// Thread-safe. Two generations at most are alive in it: one being sealed, one that takes appends.
class Stream {
 public:
  /// Reads or makes DIR/<name>/manifest and removes files that are in no manifest (`leftovers` counts them). Files of
  /// the manifest that are lost or of another size go into `damage`. Errors: malformed, unsupported, io.
  static Result<std::unique_ptr<Stream>> open(const std::string& directory, const std::string& name,
                                              const Schema& schema, const Layouts& layouts, const StreamLimits& limits,
                                              Graveyard& graveyard, DamageBook& damage, std::uint64_t& leftovers);

  /// See Workspace::append. True: a seal has become due.
  Result<bool> append(std::uint64_t through, std::span<const Row> rows, Timestamp now);
  [[nodiscard]] PinnedStream pin() const;

  [[nodiscard]] bool seal_due(Timestamp now) const;
  /// Takes the open generation out of append's way, or gives the one that is frozen already. nullptr: nothing to seal.
  Result<std::shared_ptr<const HotGeneration>> freeze();
  /// Puts the frozen generation's segment (nullopt: it had no rows) into the manifest, durably, and lets the rows go.
  Result<> publish_seal(std::optional<SegmentInfo> segment);
  /// Replaces neighbours by their merge. Errors: not_found: one of them is gone, the caller removes the file.
  Result<> publish_merge(std::span<const SegmentInfo> sources, SegmentInfo merged);
  /// Puts what a segment became when tables left it into its place. Errors: not_found, as publish_merge.
  Result<> publish_ageing(const SegmentInfo& source, SegmentInfo aged);
  /// Drops the segments whose tables are all too old, and the oldest ones beyond `bytes_max` (0: no limit). Returns how
  /// many.
  Result<std::size_t> drop(const RetentionOf& retention, std::uint64_t bytes_max, Timestamp now);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& directory() const { return directory_; }
  [[nodiscard]] std::vector<SegmentInfo> segments() const;
  /// What is hot of one table.
  [[nodiscard]] TableExtent hot_extent(TableIndex index) const;
  [[nodiscard]] StreamPositions positions() const;
  [[nodiscard]] StreamStats stats() const;
  void count_failure(std::uint64_t StreamStats::* counter);

 private:
  Stream(std::string directory, std::string name, const Schema& schema, const Layouts& layouts, StreamLimits limits,
         Graveyard& graveyard, DamageBook& damage)
      : directory_(std::move(directory)),
        name_(std::move(name)),
        schema_(schema),
        layouts_(layouts),
        limits_(limits),
        graveyard_(graveyard),
        damage_(damage) {}

  Result<> load(std::uint64_t& leftovers);
  Result<> check_files(const SegmentInfo& segment);
  /// Writes the next version durably.
  Result<> store(Manifest& next);
  [[nodiscard]] std::uint64_t hot_end() const;
  Result<> make_room(std::uint64_t rows, std::uint64_t bytes, Timestamp now);
  [[nodiscard]] std::uint64_t needed_bytes(const std::vector<std::uint64_t>& rows_of_table) const;

  const std::string directory_;
  const std::string name_;
  const Schema& schema_;
  const Layouts& layouts_;
  const StreamLimits limits_;
  Graveyard& graveyard_;
  DamageBook& damage_;

  std::mutex publish_mutex_;  ///< One change of the manifest at a time; taken before mutex_.
  mutable std::mutex mutex_;  ///< Guards what follows; never held during disk writes.
  Manifest manifest_;
  std::vector<SegmentPtr> segments_;
  std::shared_ptr<HotGeneration> frozen_;
  std::shared_ptr<HotGeneration> open_;
  StreamStats counters_;
};

}  // namespace picket::workspace
