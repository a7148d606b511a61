// One turn after the other: read, process, rows, alert changes, checkpoint. The runner gives it a thread.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint.h"
#include "engine.h"
#include "journal/journal.h"
#include "pipeline/row_sink.h"
#include "pipeline/runner.h"
#include "pipeline/stats.h"

namespace picket::pipeline {

/// Exactly-once by determinism: a restart goes on from a checkpoint. First it makes the rows behind the workspace's
/// sealed position anew, without detection, so that they are soon there again: those before the checkpoint by its list
/// of skipped duplicates, later ones by its state. Then detection goes over the records after the checkpoint. Rows that
/// the workspace still holds are skipped by it; alert changes up to the source of the last durable one are not written
/// again.
class Loop {
 public:
  /// Errors: internal "pipeline.open.journal_behind" (the workspace holds rows of records that the journal has never
  /// seen: folders of two installations), and those of journals and checkpoints.
  static Result<std::unique_ptr<Loop>> open(RunnerOptions options, journal::Journal& messages,
                                            journal::Journal& derived, RowSink& sink, const Clock& clock);

  /// Waits at most `timeout` for records, then handles one batch. Errors: what keeps it from going on; may be called
  /// again.
  Result<> turn(Duration timeout);
  /// Ends waiting. Any thread.
  void interrupt();
  /// After an exception nobody knows how much of a batch was done: everything is made anew, as in a restart.
  Result<> recover();
  /// Writes a checkpoint now; none while detection is behind the rows of a replay.
  Result<> checkpoint();
  /// Any thread.
  [[nodiscard]] Stats stats() const;
  /// Any thread; at most a second old while records come.
  [[nodiscard]] std::vector<RuleLoad> loads() const;

 private:
  [[nodiscard]] bool is_interrupted();
  Loop(RunnerOptions options, journal::Journal& messages, journal::Journal& derived, RowSink& sink, const Clock& clock);
  struct Answers;
  Result<> restore();
  Result<std::optional<CheckpointStore::Restored>> restore_checkpoint();
  void make_engine();
  Result<> find_last_source(const journal::Position& from);
  Result<> read_from(const journal::Position& position);
  Result<> begin_replay();
  Result<> make_rows();
  Result<> rows_made();
  Result<journal::Batch> read_batch();
  Result<> handle(const journal::Batch& batch);
  Result<> finish();
  Result<> append_rows(std::uint64_t through);
  void drop_durable();
  Result<> append_changes();
  [[nodiscard]] bool checkpoint_due() const;
  void publish(const journal::Batch* batch);
  void step(std::string_view name) const {
    if (options_.on_step) options_.on_step(name);
  }
  [[nodiscard]] journal::Position sealed() const;

  const RunnerOptions options_;
  journal::Journal& messages_;
  journal::Journal& derived_;
  RowSink& sink_;
  const Clock& clock_;
  const workspace::Schema schema_;
  std::unique_ptr<CheckpointStore> checkpoints_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<journal::Reader> reader_;
  RowBatch rows_;
  std::vector<DerivedChange> changes_;
  /// Newest source in the derived journal at the start, and what it had caused that is durable.
  journal::RecordId last_source_;
  std::vector<std::pair<std::string, std::uint32_t>> last_changes_;
  journal::Position derived_from_;  ///< Where that was looked for.
  journal::Position position_;
  journal::Position replay_until_;
  /// The first half of a replay: rows without detection.
  struct Replay {
    bool making_rows = false;
    bool enough = false;           ///< All that it will make are made.
    journal::Position rows_until;  ///< Records before it have their rows, or need none.
    std::size_t rows = 0;
    Duration began;
  };
  Replay replay_;
  journal::Position checkpointed_;  ///< Where the newest checkpoint stands.
  Duration last_checkpoint_;
  Duration checkpoint_took_;
  /// What of the last batch is still to be done, when the workspace or the derived journal refused it.
  enum class Pending : std::uint8_t { nothing, rows, changes };
  Pending pending_ = Pending::nothing;
  std::uint64_t pending_through_ = 0;

  std::mutex reader_mutex_;  // reader_ itself changes on recover only; interrupt() comes from other threads
  bool interrupted_ = false;

  mutable std::mutex stats_mutex_;
  Stats stats_;
  std::vector<RuleLoad> loads_;
  Duration next_loads_;  ///< When they are copied again: there are hundreds.
};

}  // namespace picket::pipeline
