#include "pipeline/projector.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <thread>

#include "derived_change.h"
#include "pipeline/table_rows.h"
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
  ThreadProjector(std::string name, journal::Journal& journal, std::unique_ptr<journal::Reader> reader, ApplyMany apply,
                  std::size_t together, std::function<void(std::string_view)> log)
      : name_(std::move(name)),
        journal_(journal),
        reader_(std::move(reader)),
        apply_(std::move(apply)),
        together_(together),
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
      std::span<const journal::RecordView> left = batch->records;
      while (!left.empty()) {
        const auto now = left.first(std::min(left.size(), together_));
        if (!apply(now)) return;
        left = left.subspan(now.size());
      }
      if (!batch->records.empty() && std::chrono::steady_clock::now() - stored > kStoreInterval) {
        stored = std::chrono::steady_clock::now();
        store(batch->next);
      }
    }
  }

  /// Until they are applied, or the projector ends.
  bool apply(std::span<const journal::RecordView> records) {
    journal::Position after = position_;
    for (const journal::RecordView& record : records) after.advance_past(record.id);
    while (!stopping_) {
      const auto applied = apply_(records, after);
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
  ApplyMany apply_;
  const std::size_t together_;
  std::function<void(std::string_view)> log_;
  mutable std::mutex mutex_;
  journal::Position position_;
  bool failing_ = false;  // thread only
  std::atomic<bool> stopping_{false};
  std::jthread thread_;
};

}  // namespace

namespace {

Result<std::unique_ptr<Projector>> start(std::string name, std::string_view from, journal::Journal& journal,
                                         Projector::ApplyMany apply, std::size_t together,
                                         std::function<void(std::string_view)> log) {
  TRY_VOID(journal.add_consumer(name));
  journal::Position position;
  if (!from.empty()) {
    TRY(position, journal::Position::parse(from));
  }
  TRY(auto reader, journal.reader(position));
  return std::make_unique<ThreadProjector>(std::move(name), journal, std::move(reader), std::move(apply), together,
                                           std::move(log));
}

}  // namespace

Result<std::unique_ptr<Projector>> start_projector(std::string name, std::string_view from, journal::Journal& journal,
                                                   Projector::Apply apply, std::function<void(std::string_view)> log) {
  auto one = [apply = std::move(apply)](std::span<const journal::RecordView> records, const journal::Position& after) {
    return apply(records.front(), after);
  };
  return start(std::move(name), from, journal, std::move(one), 1, std::move(log));
}

Result<std::unique_ptr<Projector>> start_batch_projector(std::string name, std::string_view from,
                                                         journal::Journal& journal, Projector::ApplyMany apply,
                                                         std::function<void(std::string_view)> log) {
  return start(std::move(name), from, journal, std::move(apply), Projector::kTogetherMax, std::move(log));
}

namespace {

/// Makes rows of the records of the derived journal. Thread of its projector.
class AlertTable {
 public:
  static Result<std::shared_ptr<AlertTable>> create(RowSink& sink, std::string installation_id,
                                                    std::function<void(std::string_view)> log, TriageSource* triage) {
    auto schema = make_workspace_schema();
    const auto alerts = schema.find_table(workspace::kSecurityAlert);
    const auto recommendations = schema.find_table(workspace::kSecurityRecommendation);
    const auto incidents = schema.find_table(workspace::kSecurityIncident);
    if (!alerts || !recommendations || !incidents) return fail(Errc::internal, "pipeline.alert_table.schema");
    auto out = std::make_shared<AlertTable>(sink, std::move(installation_id), std::move(log), triage);
    out->alerts_ = *alerts;
    out->recommendations_ = *recommendations;
    out->incidents_ = *incidents;
    out->schema_ = std::move(schema);
    return out;
  }
  AlertTable(RowSink& sink, std::string installation_id, std::function<void(std::string_view)> log,
             TriageSource* triage)
      : sink_(sink), installation_id_(std::move(installation_id)), log_(std::move(log)), triage_(triage) {}

  Result<> apply(const journal::RecordView& record) {
    made_.clear();
    texts_.clear();
    const bool decision = record.kind == journal::RecordKind::triage;
    bool people = decision || record.kind == journal::RecordKind::incident_change;
    if (people) TRY_VOID(wait(record));
    if (decision) TRY_VOID(add_decision(record));
    if (record.kind == journal::RecordKind::table_rows) add_rows(record);
    if (!decision) TRY_VOID(add_change(record, people));
    if (people) TRY_VOID(add_incidents(record));
    std::vector<workspace::Row> rows;
    for (std::uint32_t i = 0; i < made_.size(); ++i) {
      rows.push_back({.table = made_[i].table,
                      .id = {record.id.sequence, i, 0},
                      .ingested = record.enqueued,
                      .cells = made_[i].cells});
    }
    return sink_.append(workspace::kDerivedStream, record.id.sequence, rows);
  }

 private:
  struct Made {
    workspace::TableIndex table;
    std::vector<workspace::Cell> cells;
  };

  /// One record that a newer version wrote must not keep all later alerts from the table.
  void leave_out(const journal::RecordView& record, const Error& error) {
    if (log_) log_("alert-table: record " + to_text(record.id) + " left out: " + describe(error));
  }

  Result<> wait(const journal::RecordView& record) {
    if (triage_ == nullptr || triage_->wait_applied(record.id)) return {};
    return fail(Errc::unavailable, "pipeline.alert_table.state");
  }

  /// A row of an alert that nobody has decided about does not wait for the state: earlier decisions are applied there,
  /// and this change can only open again what was resolved. Sets `people` when it did.
  Result<> add_change(const journal::RecordView& record, bool& people) {
    const auto change = parse_derived_change(record.kind, as_text(record.body));
    if (!change) {
      if (change.error().where != kOtherKind) leave_out(record, change.error());
      return {};
    }
    if (const auto* alert = std::get_if<AlertChange>(&*change)) {
      std::string status = alert->suppressed_by.empty() ? "New" : "Dismissed";
      if (triage_ != nullptr && (alert->change > 0 || !alert->suppressed_by.empty())) {
        TRY(status, triage_->status_at(alert->alert_id, record.id));
        if (status != "New") {
          TRY_VOID(wait(record));
          TRY(status, triage_->status_at(alert->alert_id, record.id));
          people = true;
        }
      }
      kept_ = *alert;
      made_.push_back({alerts_, {}});
      // Cells point into texts that outlive them.
      security_alert_cells(kept_, installation_id_, texts_, made_.back().cells, texts_.emplace_back(status));
    } else if (const auto* recommendation = std::get_if<RecommendationChange>(&*change)) {
      kept_recommendation_ = *recommendation;
      made_.push_back({recommendations_, {}});
      security_recommendation_cells(kept_recommendation_, installation_id_, texts_, made_.back().cells);
    }
    return {};
  }

  void add_rows(const journal::RecordView& record) {
    auto found = parse_table_rows(as_text(record.body), schema_, texts_);
    if (!found) return leave_out(record, found.error());
    for (auto& cells : found->rows) made_.push_back({found->table, std::move(cells)});
  }

  Result<> add_decision(const journal::RecordView& record) {
    if (triage_ == nullptr) return {};
    decided_.clear();
    TRY(const auto states, triage_->triaged_by(record.id));
    for (const TriageSource::AlertState& state : states) {
      auto alert = parse_alert_change(state.json);
      if (!alert) {
        leave_out(record, alert.error());
        continue;
      }
      decided_.push_back(*std::move(alert));
      made_.push_back({alerts_, {}});
      security_alert_cells(decided_.back(), installation_id_, texts_, made_.back().cells,
                           texts_.emplace_back(state.status), state.time);
    }
    return {};
  }

  Result<> add_incidents(const journal::RecordView& record) {
    if (triage_ == nullptr) return {};
    TRY(incident_rows_, triage_->incidents_of(record.id));
    for (const IncidentRow& row : incident_rows_) {
      made_.push_back({incidents_, {}});
      security_incident_cells(row, installation_id_, texts_, made_.back().cells);
    }
    return {};
  }

  RowSink& sink_;
  const std::string installation_id_;
  const std::function<void(std::string_view)> log_;
  TriageSource* const triage_;
  workspace::Schema schema_;
  workspace::TableIndex alerts_{}, recommendations_{}, incidents_{};
  // Of one record; cells point into them.
  std::vector<Made> made_;
  std::deque<std::string> texts_;
  AlertChange kept_;
  RecommendationChange kept_recommendation_;
  std::deque<AlertChange> decided_;
  std::vector<IncidentRow> incident_rows_;
};

}  // namespace

Result<std::unique_ptr<Projector>> start_alert_table(journal::Journal& derived, RowSink& sink,
                                                     std::string installation_id,
                                                     std::function<void(std::string_view)> log, TriageSource* triage) {
  const std::uint64_t sealed = sink.sealed_through(workspace::kDerivedStream);
  TRY(auto table, AlertTable::create(sink, std::move(installation_id), log, triage));
  auto apply = [table](const journal::RecordView& record, const journal::Position&) { return table->apply(record); };
  return start_projector("alert-table", sealed == 0 ? "" : journal::Position::at(0, sealed + 1).to_text(), derived,
                         std::move(apply), std::move(log));
}

}  // namespace picket::pipeline
