#include "loop.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <optional>
#include <thread>

#include "pipeline/tables.h"
#include "workspace/tables.h"

namespace picket::pipeline {
namespace {

/// Between checkpoints that are written because the workspace has sealed rows behind the last one: at least this, and
/// so many times what the last one took, since alerts wait for it.
constexpr Duration kSealedInterval = Duration::seconds(5);
constexpr std::int64_t kSealedIntervalFactor = 200;
/// Between attempts when the workspace or the derived journal is full.
constexpr Duration kLoadsInterval = Duration::seconds(1);
constexpr Duration kRetryDelay = Duration::milliseconds(20);

void pause() { std::this_thread::sleep_for(std::chrono::microseconds(kRetryDelay.us)); }

}  // namespace

Loop::Loop(RunnerOptions options, journal::Journal& messages, journal::Journal& derived, RowSink& sink,
           const Clock& clock)
    : options_(std::move(options)),
      messages_(messages),
      derived_(derived),
      sink_(sink),
      clock_(clock),
      schema_(make_workspace_schema()) {}

Result<std::unique_ptr<Loop>> Loop::open(RunnerOptions options, journal::Journal& messages, journal::Journal& derived,
                                         RowSink& sink, const Clock& clock) {
  std::unique_ptr<Loop> loop(new Loop(std::move(options), messages, derived, sink, clock));
  TRY_VOID(loop->restore());
  return loop;
}

void Loop::make_engine() {
  const Catalogue& catalogue = options_.catalogue == nullptr ? Catalogue::builtin() : *options_.catalogue;
  engine_ =
      std::make_unique<Engine>(EngineOptions{options_.installation_id, options_.fingerprint_key}, catalogue, schema_);
  engine_->use_indicators(options_.open_indicators);
}

void Loop::interrupt() {
  const std::lock_guard lock(reader_mutex_);
  interrupted_ = true;
  if (reader_) reader_->interrupt();
}

bool Loop::is_interrupted() {
  const std::lock_guard lock(reader_mutex_);
  return interrupted_;
}

Result<> Loop::turn(Duration timeout) {
  // What an earlier turn could not finish comes first: its records are processed, and must not be again.
  if (pending_ != Pending::nothing) TRY_VOID(finish());
  if (replay_.making_rows) return make_rows();
  reader_->wait(timeout);
  const auto batch = read_batch();
  if (!batch) return std::unexpected(batch.error());
  if (!batch->records.empty()) TRY_VOID(handle(*batch));
  publish(&*batch);
  return checkpoint_due() ? checkpoint() : Result<>{};
}

Result<journal::Batch> Loop::read_batch() {
  auto batch = reader_->read(options_.batch_bytes);
  const std::lock_guard lock(stats_mutex_);
  stats_.stopped_at_corruption = !batch && reader_->corruption().has_value();
  return batch;
}

/// Soon after a seal too: a replay that begins before the sealed rows takes longer for it.
bool Loop::checkpoint_due() const {
  const Duration since = clock_.monotonic() - last_checkpoint_;
  if (since >= options_.checkpoint_interval) return true;
  const Duration apart = std::max(kSealedInterval, checkpoint_took_ * kSealedIntervalFactor);
  return since >= apart && !checkpointed_.covers(sealed());
}

Result<> Loop::handle(const journal::Batch& batch) {
  step("batch.read");
  rows_.clear();
  changes_.clear();
  for (const journal::RecordView& record : batch.records) {
    engine_->process(record, rows_, changes_, replay_.rows_until.covers(record.id) ? Pass::detection : Pass::whole);
  }
  drop_durable();
  pending_through_ = batch.records.back().id.sequence;
  position_ = batch.next;
  pending_ = Pending::rows;
  return finish();
}

/// Rows first: whoever sees the alert finds its evidence.
Result<> Loop::finish() {
  if (pending_ == Pending::rows) {
    TRY_VOID(append_rows(pending_through_));
    step("rows.appended");
    pending_ = Pending::changes;
  }
  TRY_VOID(append_changes());
  step("changes.durable");
  pending_ = Pending::nothing;
  return {};
}

/// Waits while the workspace seals: the journal holds what comes in meanwhile.
Result<> Loop::append_rows(std::uint64_t through) {
  const auto rows = rows_.rows();
  for (;;) {
    const auto appended = sink_.append(workspace::kMessagesStream, through, rows);
    if (appended) break;
    if (appended.error().code != Errc::limit_exceeded || !appended.error().where.ends_with(".full")) {
      return std::unexpected(appended.error());
    }
    {
      const std::lock_guard lock(stats_mutex_);
      ++stats_.sink_full_waits;
    }
    // A disk that stays full must not keep the server from stopping: the journal still has these records.
    if (is_interrupted()) return fail(Errc::unavailable, "pipeline.rows.interrupted");
    pause();
  }
  const std::lock_guard lock(stats_mutex_);
  stats_.rows += rows.size();
  return {};
}

/// Changes that an earlier run has made durable. Those of its last source may be there in part.
void Loop::drop_durable() {
  const std::size_t made = changes_.size();
  std::erase_if(changes_, [&](const DerivedChange& change) {
    if (source_of(change) < last_source_) return true;
    return source_of(change) == last_source_ &&
           std::ranges::find(last_changes_, std::pair(id_of(change), number_of(change))) != last_changes_.end();
  });
  const std::lock_guard lock(stats_mutex_);
  stats_.alert_changes_suppressed += made - changes_.size();
}

/// Answers of the derived journal; shared with its callbacks, which may outlive a turn.
struct Loop::Answers {
  std::mutex mutex;
  std::condition_variable all;
  std::size_t offered = 0;
  std::size_t answered = 0;
  std::size_t durable = 0;
  std::optional<Error> refused;

  void answer(const Result<journal::RecordId>& id) {
    const std::lock_guard lock(mutex);
    ++answered;
    if (id) ++durable;
    if (!id) refused = id.error();
    all.notify_all();
  }
};

/// Returns when all are durable. The journal gives up everything behind a failed write, so what is durable is always a
/// beginning of the list, and the rest is offered again in order.
Result<> Loop::append_changes() {
  if (changes_.empty()) return {};
  const auto answers = std::make_shared<Answers>();
  for (const DerivedChange& change : changes_) {
    const std::string body = body_of(change);
    step("change.append");
    const auto taken = derived_.append({.kind = record_kind_of(change),
                                        .partition = partition_of(device_of(change)),
                                        .enqueued = generated_of(change),
                                        .identity = device_of(change),
                                        .body = as_bytes(body)},
                                       [answers](Result<journal::RecordId> id) { answers->answer(id); });
    const std::lock_guard lock(answers->mutex);
    if (!taken) {
      answers->refused = taken.error();
      break;
    }
    ++answers->offered;
  }
  std::unique_lock lock(answers->mutex);
  answers->all.wait(lock, [&] { return answers->answered == answers->offered; });
  const std::size_t durable = answers->durable;
  {
    const std::lock_guard stats_lock(stats_mutex_);
    for (std::size_t i = 0; i < durable; ++i) {
      const bool alert = std::holds_alternative<AlertChange>(changes_[i]);
      const bool incident = std::holds_alternative<IncidentChange>(changes_[i]);
      ++(alert ? stats_.alert_changes : incident ? stats_.incident_changes : stats_.recommendation_changes);
      if (alert && number_of(changes_[i]) == 0) ++stats_.alerts;
    }
    if (durable < changes_.size()) ++stats_.derived_retries;
    if (answers->refused) stats_.last_error = describe(*answers->refused);
  }
  changes_.erase(changes_.begin(), changes_.begin() + static_cast<std::ptrdiff_t>(durable));
  if (changes_.empty()) return {};
  return std::unexpected(answers->refused.value_or(Error{Errc::unavailable, "pipeline.derived"}));
}

Result<> Loop::checkpoint() {
  if (pending_ != Pending::nothing) return fail(Errc::unavailable, "pipeline.checkpoint.pending");
  // What a replay knows of duplicates is then ahead of what it knows of everything else; the last one still stands.
  if (!position_.covers(replay_.rows_until)) return {};
  last_checkpoint_ = clock_.monotonic();
  // Until the replay has passed what was written before, the end of the derived journal is ahead of this checkpoint: a
  // restart from here must find those changes again, or it would write them a second time.
  const bool caught_up = position_.covers(last_source_);
  engine_->skipped().forget_through(sink_.sealed_through(workspace::kMessagesStream));
  const auto committed =
      checkpoints_->commit(position_, caught_up ? derived_.end() : derived_from_, engine_->skipped(), engine_->parts());
  {
    const std::lock_guard lock(stats_mutex_);
    ++(committed ? stats_.checkpoints : stats_.checkpoint_failures);
    stats_.checkpoint_bytes = checkpoints_->last_bytes();
    if (!committed) stats_.last_error = describe(committed.error());
  }
  TRY_VOID(committed);
  checkpointed_ = position_;
  const journal::Position kept = sealed();
  TRY_VOID(checkpoints_->merge(kept));
  // Retention may go as far as a replay would never read again.
  if (const auto from = checkpoints_->replay_from(kept)) {
    TRY_VOID(messages_.set_position(kPipelineConsumer, *from));
    TRY_VOID(messages_.store_positions());
  }
  checkpoint_took_ = clock_.monotonic() - last_checkpoint_;
  step("checkpoint.done");
  return {};
}

void Loop::publish(const journal::Batch* batch) {
  const auto journal = messages_.stats();
  const auto end = messages_.end();
  const std::lock_guard lock(stats_mutex_);
  engine_->add_stats(stats_);
  stats_.position = position_.to_text();
  stats_.journal_end = end.to_text();
  stats_.journal_time = journal.last_enqueued;
  if (batch != nullptr && !batch->records.empty()) stats_.processed_time = batch->records.back().enqueued;
  stats_.replaying = !position_.covers(replay_until_);
  if (const Duration now = clock_.monotonic(); now >= next_loads_ || batch == nullptr) {
    loads_ = engine_->loads();
    next_loads_ = now + kLoadsInterval;
  }
}

std::vector<RuleLoad> Loop::loads() const {
  const std::lock_guard lock(stats_mutex_);
  return loads_;
}

Stats Loop::stats() const {
  const std::lock_guard lock(stats_mutex_);
  return stats_;
}

}  // namespace picket::pipeline
