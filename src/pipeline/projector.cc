#include "pipeline/projector.h"

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <thread>

#include "derived_change.h"
#include "pipeline/tables.h"
#include "workspace/tables.h"

namespace picket::pipeline {
namespace {

constexpr Duration kWait = Duration::milliseconds(500);
constexpr std::string_view kOtherKind = "derived.kind";
constexpr auto kFailurePause = std::chrono::milliseconds(100);
constexpr std::size_t kReadBytes = 256U << 10;
/// Positions are stored by the journal at most this often (each is two fsyncs); the consumer has its own, exact one.
constexpr auto kStoreInterval = std::chrono::seconds(30);

class ThreadProjector final : public Projector {
 public:
  ThreadProjector(std::string name, journal::Journal& journal, std::unique_ptr<journal::Reader> reader, Apply apply,
                  std::function<void(std::string_view)> log)
      : name_(std::move(name)),
        journal_(journal),
        reader_(std::move(reader)),
        apply_(std::move(apply)),
        log_(std::move(log)),
        position_(reader_->position()),
        thread_([this] { run(); }) {}
  ThreadProjector(const ThreadProjector&) = delete;
  ThreadProjector& operator=(const ThreadProjector&) = delete;
  ~ThreadProjector() override {
    stopping_ = true;
    reader_->interrupt();
    thread_.join();
  }
  std::string position() const override {
    const std::lock_guard lock(mutex_);
    return position_.to_text();
  }

 private:
  void run() {
    auto stored = std::chrono::steady_clock::now();
    while (!stopping_) {
      reader_->wait(kWait);
      const auto batch = reader_->read(kReadBytes);
      if (!batch) {
        failed(batch.error());
        continue;
      }
      for (const journal::RecordView& record : batch->records) {
        if (!apply(record)) return;
      }
      if (!batch->records.empty() && std::chrono::steady_clock::now() - stored > kStoreInterval) {
        stored = std::chrono::steady_clock::now();
        store(batch->next);
      }
    }
  }

  /// Until it is applied, or the projector ends.
  bool apply(const journal::RecordView& record) {
    journal::Position after = position_;
    after.advance_past(record.id);
    while (!stopping_) {
      const auto applied = apply_(record, after);
      if (applied) {
        const std::lock_guard lock(mutex_);
        position_ = std::move(after);
        failing_ = false;
        return true;
      }
      failed(applied.error());
    }
    return false;
  }

  void store(const journal::Position& position) {
    auto done = journal_.set_position(name_, position);
    if (done) done = journal_.store_positions();
    if (!done) failed(done.error());
  }

  void failed(const Error& error) {
    if (!failing_ && log_) log_(name_ + ": " + describe(error));
    failing_ = true;
    if (!stopping_) std::this_thread::sleep_for(kFailurePause);
  }

  const std::string name_;
  journal::Journal& journal_;
  std::unique_ptr<journal::Reader> reader_;
  Apply apply_;
  std::function<void(std::string_view)> log_;
  mutable std::mutex mutex_;
  journal::Position position_;
  bool failing_ = false;  // thread only
  std::atomic<bool> stopping_{false};
  std::jthread thread_;
};

}  // namespace

Result<std::unique_ptr<Projector>> start_projector(std::string name, std::string_view from, journal::Journal& journal,
                                                   Projector::Apply apply, std::function<void(std::string_view)> log) {
  TRY_VOID(journal.add_consumer(name));
  journal::Position position;
  if (!from.empty()) {
    TRY(position, journal::Position::parse(from));
  }
  TRY(auto reader, journal.reader(position));
  return std::make_unique<ThreadProjector>(std::move(name), journal, std::move(reader), std::move(apply),
                                           std::move(log));
}

Result<std::unique_ptr<Projector>> start_alert_table(journal::Journal& derived, RowSink& sink,
                                                     std::string installation_id,
                                                     std::function<void(std::string_view)> log) {
  const std::uint64_t sealed = sink.sealed_through(workspace::kDerivedStream);
  const auto schema = make_workspace_schema();
  const auto alerts = schema.find_table(workspace::kSecurityAlert);
  const auto recommendations = schema.find_table(workspace::kSecurityRecommendation);
  if (!alerts || !recommendations) return fail(Errc::internal, "pipeline.alert_table.schema");
  auto apply = [&sink, installation_id = std::move(installation_id), alerts = *alerts,
                recommendations = *recommendations,
                log](const journal::RecordView& record, const journal::Position&) -> Result<> {
    std::vector<workspace::Cell> cells;
    std::deque<std::string> texts;
    std::vector<workspace::Row> rows;
    const auto change = parse_derived_change(record.kind, as_text(record.body));
    // One record that a newer version wrote must not keep all later alerts from the table.
    if (!change && change.error().where != kOtherKind && log) {
      log("alert-table: record " + to_text(record.id) + " left out: " + describe(change.error()));
    }
    if (change) {
      const auto* alert = std::get_if<AlertChange>(&*change);
      if (alert != nullptr) security_alert_cells(*alert, installation_id, texts, cells);
      if (alert == nullptr) {
        security_recommendation_cells(std::get<RecommendationChange>(*change), installation_id, texts, cells);
      }
      rows.push_back({.table = alert != nullptr ? alerts : recommendations,
                      .id = {record.id.sequence, 0, 0},
                      .ingested = record.enqueued,
                      .cells = cells});
    }
    return sink.append(workspace::kDerivedStream, record.id.sequence, rows);
  };
  return start_projector("alert-table", sealed == 0 ? "" : journal::Position::at(0, sealed + 1).to_text(), derived,
                         std::move(apply), std::move(log));
}

}  // namespace picket::pipeline
