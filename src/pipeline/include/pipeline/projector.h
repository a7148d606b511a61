// Projections of the derived journal: the SecurityAlert table, and what the server makes of alerts besides (state,
// SIEM).
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "journal/journal.h"
#include "pipeline/alert.h"
#include "pipeline/incident.h"
#include "pipeline/row_sink.h"

namespace picket::pipeline {

/// Sees the records of a journal in order, again and again from where it stands, on a thread of its own.
class Projector {
 public:
  /// `after`: position behind the record; store it with what you made of the record, and begin there next time. An
  /// error makes the projector offer the same record again after a pause; applying a record twice must change nothing.
  using Apply = std::function<Result<>(const journal::RecordView& record, const journal::Position& after)>;
  using ApplyMany =
      std::function<Result<>(std::span<const journal::RecordView> records, const journal::Position& after)>;
  static constexpr std::size_t kTogetherMax = 64;

  virtual ~Projector() = default;
  [[nodiscard]] virtual std::string position() const = 0;  ///< Text of the position. Any thread.
};

/// Starts one from `from` on (text of a position, empty: the beginning). `name` goes into log lines; it is also
/// registered as a consumer, so that retention waits for it. Errors: as Journal::reader, Journal::add_consumer.
Result<std::unique_ptr<Projector>> start_projector(std::string name, std::string_view from, journal::Journal& journal,
                                                   Projector::Apply apply,
                                                   std::function<void(std::string_view)> log = {});

/// The same for one who makes something of several records at once, at most kTogetherMax; none is empty.
Result<std::unique_ptr<Projector>> start_batch_projector(std::string name, std::string_view from,
                                                         journal::Journal& journal, Projector::ApplyMany apply,
                                                         std::function<void(std::string_view)> log = {});

/// What people decided about alerts and incidents, which the derived journal says in single steps. Any thread that may
/// wait for the disk.
class TriageSource {
 public:
  struct AlertState {
    std::string json;  ///< Its newest change record.
    std::string status;
    Timestamp time;
  };
  virtual ~TriageSource() = default;
  /// Waits a while until the record is applied. False: not yet, ask again.
  virtual bool wait_applied(journal::RecordId id) = 0;
  /// Status of an alert right behind the record.
  virtual Result<std::string> status_at(std::string_view alert_id, journal::RecordId record) = 0;
  /// Alerts whose status a record of kind triage changed.
  virtual Result<std::vector<AlertState>> triaged_by(journal::RecordId record) = 0;
  /// Incidents that the record changed, as they stood then.
  virtual Result<std::vector<IncidentRow>> incidents_of(journal::RecordId record) = 0;
};

/// Fills the tables SecurityAlert, SecurityIncident and SecurityRecommendation: one row a change, as Log Analytics has
/// it (the newest is arg_max(TimeGenerated, *) by SystemAlertId); and others with the rows of table_rows records.
/// Begins behind what the workspace has sealed. `triage` outlives it; without one, alerts are New and there are no
/// incidents.
Result<std::unique_ptr<Projector>> start_alert_table(journal::Journal& derived, RowSink& sink,
                                                     std::string installation_id,
                                                     std::function<void(std::string_view)> log = {},
                                                     TriageSource* triage = nullptr);

}  // namespace picket::pipeline
