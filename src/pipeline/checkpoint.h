// Checkpoints of the pipeline's state in DIR/checkpoints: a whole one, and changes on top of it, each with its
// position.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint_format.h"
#include "journal/position.h"

namespace picket::pipeline {

/// When so many lie behind the sealed position they are merged into one whole checkpoint.
inline constexpr std::size_t kMergeMin = 16;
inline constexpr std::size_t kCheckpointBytesMax = 1U << 30;  ///< Of one file.

/// Called with the name of each step on the way to disk; tests end the process there.
using StepHook = std::function<void(std::string_view step)>;

/// Rows after the workspace's sealed position are lost in a crash and made again from the journal. That needs the state
/// at or before that position, or the list of what was skipped since then; the store keeps the newest checkpoint of the
/// first kind and all later ones. Not thread-safe.
class CheckpointStore {
 public:
  struct Restored {
    journal::Position position;
    journal::Position derived;
    SkippedBook skipped;
  };
  /// Reads what is there. Files that are damaged, of a newer format, or not connected to the others are left out
  /// (`note` says which) and removed by the next commit.
  static Result<CheckpointStore> open(std::string directory, StepHook hook = {});

  /// Loads the newest checkpoint from which a replay can go on into `parts`, which are empty: one that `sealed` covers,
  /// or a later one, within `end` of the journal, whose list of what was skipped reaches back to `sealed`. nullopt:
  /// there is none that fits these parts; they may hold rubbish and must be made anew. Later checkpoints, or all, are
  /// forgotten.
  Result<std::optional<Restored>> restore(const journal::Position& sealed, const journal::Position& end,
                                          const std::vector<StatePart*>& parts);
  /// Starts again with nothing.
  Result<> clear();

  /// Adds a checkpoint with what changed since the last one. When writing fails the changes are kept for the next.
  Result<> commit(const journal::Position& position, const journal::Position& derived, const SkippedBook& skipped,
                  const std::vector<StatePart*>& parts);
  /// Merges what lies behind `sealed`, when there is enough of it.
  Result<> merge(const journal::Position& sealed);

  /// Where a replay would begin at the earliest if the process ended now and `sealed` were all that is left; nullopt:
  /// at the beginning.
  [[nodiscard]] std::optional<journal::Position> replay_from(const journal::Position& sealed) const;
  [[nodiscard]] std::uint64_t last_bytes() const { return last_bytes_; }
  [[nodiscard]] const std::string& note() const { return note_; }
  [[nodiscard]] std::size_t size() const { return files_.size(); }

 private:
  struct File {
    std::uint64_t number = 0;
    std::uint64_t previous = 0;
    journal::Position position;
    journal::Position derived;
    std::uint64_t skipped_from = 0;  ///< SkippedBook::from
    std::vector<PartVersion> parts;
  };

  CheckpointStore(std::string directory, StepHook hook) : directory_(std::move(directory)), hook_(std::move(hook)) {}
  [[nodiscard]] std::string path_of(std::uint64_t number) const;
  [[nodiscard]] std::optional<std::size_t> newest_within(const journal::Position& limit) const;
  [[nodiscard]] std::optional<std::size_t> newest_usable(const journal::Position& sealed,
                                                         const journal::Position& end) const;
  Result<CheckpointFile> read(std::uint64_t number) const;
  Result<CheckpointFile> read_merged(std::size_t last) const;
  Result<> write(const CheckpointFile& file);
  Result<> remove(std::uint64_t number);
  Result<> forget_after(std::size_t count);
  void step(std::string_view name) const {
    if (hook_) hook_(name);
  }

  std::string directory_;
  StepHook hook_;
  std::vector<File> files_;               // a chain: the first is whole, each further one is on top of the one before
  std::vector<std::uint64_t> strangers_;  // files that are not part of it
  std::map<std::string, PartChanges> owed_;  // changes of a commit that failed
  std::uint64_t next_number_ = 1;
  std::uint64_t last_bytes_ = 0;
  std::string note_;
};

}  // namespace picket::pipeline
