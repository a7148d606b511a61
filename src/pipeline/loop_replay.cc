// How a loop begins: the state of a checkpoint, what the derived journal has already, and the rows that a crash took.
#include <algorithm>

#include "loop.h"
#include "workspace/tables.h"

namespace picket::pipeline {
namespace {

constexpr std::size_t kScanBytes = 1U << 20;
/// Rows that are made ahead of detection. Twice what the workspace ever holds unsealed: what lies behind them is made
/// with detection, so that a replay of a whole journal, which takes hours, is checkpointed on its way.
constexpr std::size_t kRowsAheadMax = 524'288;
/// A checkpoint that lies this many records before the sealed rows is not worth a pass of its own.
constexpr std::uint64_t kRecordsBeforeMax = 524'288;

std::uint64_t last_before(const journal::Position& position) {
  return std::max<std::uint64_t>(position.next_of(0), 1) - 1;
}

}  // namespace

/// Everything before it is in the workspace's segments.
journal::Position Loop::sealed() const {
  return journal::Position::at(0, sink_.sealed_through(workspace::kMessagesStream) + 1);
}

Result<> Loop::restore() {
  TRY_VOID(messages_.add_consumer(kPipelineConsumer));
  replay_until_ = messages_.end();
  if (sealed() != journal::Position::at(0, 1) && !replay_until_.covers(sealed())) {
    return fail(Errc::internal, "pipeline.open.journal_behind", sealed().next_of(0));
  }
  TRY(auto restored, restore_checkpoint());
  journal::Position derived_from = derived_.begin();
  position_ = messages_.begin();
  SkippedBook skipped;
  if (restored) {
    position_ = restored->position;
    skipped = std::move(restored->skipped);
    if (restored->derived.covers(derived_from)) derived_from = restored->derived;
  } else {
    skipped.forget_through(last_before(position_));
  }
  skipped.forget_through(std::min(last_before(sealed()), last_before(position_)));
  engine_->resume(last_before(position_), std::move(skipped));
  checkpointed_ = position_;
  TRY_VOID(find_last_source(derived_from));
  derived_from_ = derived_from;
  last_checkpoint_ = clock_.monotonic();
  if (options_.log) {
    options_.log("pipeline: goes on at " + position_.to_text() + ", journal ends at " + replay_until_.to_text());
  }
  TRY_VOID(begin_replay());
  publish(nullptr);
  return {};
}

/// Into a new engine. nullopt: it begins with nothing.
Result<std::optional<CheckpointStore::Restored>> Loop::restore_checkpoint() {
  TRY(auto store, CheckpointStore::open(options_.checkpoint_directory, options_.on_step));
  checkpoints_ = std::make_unique<CheckpointStore>(std::move(store));
  make_engine();
  const bool any = checkpoints_->size() > 0;
  TRY(auto restored, checkpoints_->restore(sealed(), replay_until_, engine_->parts()));
  if (!restored || !restored->position.covers(messages_.begin())) {
    // What a failed restore loaded is thrown away with its engine.
    TRY_VOID(checkpoints_->clear());
    if (any) make_engine();
    restored.reset();
  }
  if (!checkpoints_->note().empty() && options_.log) options_.log("pipeline: " + checkpoints_->note());
  return restored;
}

Result<> Loop::find_last_source(const journal::Position& from) {
  TRY(const auto reader, derived_.reader(from));
  for (;;) {
    TRY(const auto batch, reader->read(kScanBytes));
    if (batch.records.empty()) return {};
    for (const journal::RecordView& record : batch.records) {
      if (!is_change(record.kind)) continue;
      TRY(const auto change, parse_derived_change(record.kind, as_text(record.body)));
      if (source_of(change).sequence == 0) continue;  // found by somebody else: not made again by a replay
      if (source_of(change) != last_source_) last_changes_.clear();
      last_source_ = source_of(change);
      last_changes_.emplace_back(id_of(change), number_of(change));
    }
  }
}

Result<> Loop::recover() {
  pending_ = Pending::nothing;
  rows_.clear();
  changes_.clear();
  last_source_ = {};
  last_changes_.clear();
  return restore();
}

Result<> Loop::read_from(const journal::Position& position) {
  TRY(auto reader, messages_.reader(position));
  const std::lock_guard lock(reader_mutex_);
  reader_ = std::move(reader);
  if (interrupted_) reader_->interrupt();
  return {};
}

/// A checkpoint behind the sealed rows: from there by what was skipped. One before them: from the checkpoint, for its
/// state has to learn of the records between.
Result<> Loop::begin_replay() {
  replay_ = {};
  replay_.began = clock_.monotonic();
  const journal::Position begin = messages_.begin();
  journal::Position from = sealed().covers(position_) ? position_ : sealed();
  if (!from.covers(begin)) from = begin;
  const bool far = from.next_of(0) + kRecordsBeforeMax < sealed().next_of(0);
  if (far || from.covers(replay_until_)) return read_from(position_);
  replay_.making_rows = true;
  return read_from(from);
}

/// A part of the first half. Up to the checkpoint it has to get, for detection begins there; behind it, it may stop:
/// what cannot be read then is met again, and told, by detection.
Result<> Loop::make_rows() {
  if (replay_.enough) return rows_made();
  auto batch = read_batch();
  if (!batch && !replay_.rows_until.covers(position_)) return std::unexpected(batch.error());
  if (!batch || batch->records.empty()) return rows_made();
  step("batch.read");
  rows_.clear();
  changes_.clear();
  for (const journal::RecordView& record : batch->records) {
    const bool full = replay_.rows >= kRowsAheadMax || !engine_->skipped().has_room();
    replay_.enough = !replay_until_.covers(record.id) || (full && !position_.covers(record.id));
    if (replay_.enough) break;
    engine_->process(record, rows_, changes_, Pass::rows);
    replay_.rows_until.advance_past(record.id);
  }
  const std::uint64_t held = sink_.sealed_through(workspace::kMessagesStream);
  replay_.rows += static_cast<std::size_t>(
      std::ranges::count_if(rows_.rows(), [&](const workspace::Row& row) { return row.id.sequence > held; }));
  pending_through_ = last_before(replay_.rows_until);
  pending_ = Pending::rows;
  return finish();
}

Result<> Loop::rows_made() {
  replay_.making_rows = false;
  if (options_.log) {
    const Duration taken = clock_.monotonic() - replay_.began;
    options_.log("pipeline: " + std::to_string(replay_.rows) + " rows made again in " +
                 std::to_string(taken.us / 1000) + " ms, detection follows");
  }
  return read_from(position_);
}

}  // namespace picket::pipeline
