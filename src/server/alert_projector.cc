#include "alert_projector.h"

#include <deque>
#include <vector>

#include "base/server/log.h"
#include "pipeline/alert.h"
#include "pipeline/tables.h"

namespace picket::server {
namespace {

constexpr std::string_view kStream = "derived";
constexpr std::size_t kReadBytes = 256 * 1024;
constexpr Duration kWait = Duration::seconds(1);
constexpr auto kRetryDelay = std::chrono::milliseconds(200);

state::Alert alert_of(const pipeline::AlertChange& change, std::string json) {
  return {.alert_id = change.alert_id,
          .alert_type = change.alert_type,
          .display_name = change.display_name,
          .severity = change.severity,
          .hub = change.device.hub,
          .device_id = change.device.device_id,
          .module_id = change.device.module_id,
          .start = change.start,
          .end = change.end,
          .updated = change.generated,
          .change = change.change,
          .json = std::move(json)};
}

}  // namespace

AlertProjector::AlertProjector(journal::Journal& derived, state::Alerts& alerts, workspace::Workspace& workspace,
                               workspace::TableIndex table, std::string installation_id, Listener listener)
    : derived_(derived),
      alerts_(alerts),
      workspace_(workspace),
      table_(table),
      installation_id_(std::move(installation_id)),
      listener_(std::move(listener)) {}

Result<> AlertProjector::start() {
  TRY(const std::string text, alerts_.position());
  journal::Position from;
  if (!text.empty()) {
    TRY(from, journal::Position::parse(text));
  }
  const auto rows = journal::Position::at(0, workspace_.hot_end(kStream) + 1);
  if (from.covers(rows)) from = rows;
  if (!from.covers(derived_.begin())) from = derived_.begin();
  TRY(reader_, derived_.reader(from));
  thread_ = std::jthread([this](const std::stop_token& stopping) { run(stopping); });
  return {};
}

void AlertProjector::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  reader_->interrupt();
  thread_.join();
}

void AlertProjector::run(const std::stop_token& stopping) {
  while (!stopping.stop_requested()) {
    const auto batch = reader_->read(kReadBytes);
    if (!batch) {
      log::error("alerts", "the derived journal cannot be read: {}", describe(batch.error()));
      std::this_thread::sleep_for(kRetryDelay);
      continue;
    }
    for (const journal::RecordView& record : batch->records) {
      // A projection that cannot take the record now (disk full, hot rows full) must not lose it.
      for (auto done = apply(record); !done && !stopping.stop_requested(); done = apply(record)) {
        if (retries_++ % 50 == 0) log::warning("alerts", "record {}: {}", to_text(record.id), describe(done.error()));
        std::this_thread::sleep_for(kRetryDelay);
      }
      if (stopping.stop_requested()) return;
    }
    if (batch->records.empty()) reader_->wait(kWait);
  }
}

Result<> AlertProjector::apply(const journal::RecordView& record) {
  const std::string position = journal::Position::at(record.id.stream, record.id.sequence + 1).to_text();
  switch (record.kind) {
    case journal::RecordKind::alert_change:
      return apply_change(record, position);
    case journal::RecordKind::triage:
      return apply_triage(record, position);
    default:
      return append_row(record, {});
  }
}

Result<> AlertProjector::append_row(const journal::RecordView& record, std::span<const workspace::Row> rows) {
  return workspace_.append(kStream, record.id.sequence, rows);
}

Result<> AlertProjector::apply_change(const journal::RecordView& record, const std::string& position) {
  const auto change = pipeline::parse_alert_change(as_text(record.body));
  if (!change) {
    ++rejected_;
    log::error("alerts", "record {} is no alert change: {}", to_text(record.id), describe(change.error()));
    return append_row(record, {});
  }
  std::deque<std::string> texts;
  std::vector<workspace::Cell> cells;
  pipeline::security_alert_cells(*change, installation_id_, texts, cells);
  const workspace::Row row{
      .table = table_, .id = {record.id.sequence, 0, 0}, .ingested = record.enqueued, .cells = cells};
  TRY_VOID(append_row(record, {&row, 1}));
  const state::Alert alert = alert_of(*change, std::string(as_text(record.body)));
  TRY(const bool changed, alerts_.apply(alert, position));
  if (!changed) return {};
  ++changes_;
  TRY(const state::Alert now, alerts_.find(alert.alert_id));
  listener_(change->change == 0 ? AlertEvent::raised : AlertEvent::updated, now);
  return {};
}

Result<> AlertProjector::apply_triage(const journal::RecordView& record, const std::string& position) {
  TRY_VOID(append_row(record, {}));
  const auto triage = parse_triage(as_text(record.body));
  if (!triage) {
    ++rejected_;
    log::error("alerts", "record {} is no triage: {}", to_text(record.id), describe(triage.error()));
    return alerts_.set_position(position);
  }
  const auto alert = alerts_.apply(*triage, position);
  if (!alert && alert.error().code == Errc::not_found) return {};  // the alert is older than what retention has left
  if (!alert) return std::unexpected(alert.error());
  ++triages_;
  listener_(AlertEvent::triaged, *alert);
  return {};
}

AlertProjector::Stats AlertProjector::stats() const { return {changes_, triages_, rejected_, retries_}; }

}  // namespace picket::server
