// The alert list (state) as a projection of the derived journal: alert changes by the pipeline, triage by people.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "journal/position.h"
#include "journal/record.h"
#include "state/alerts.h"
#include "state/incidents.h"

namespace picket::server {

enum class AlertEvent { raised, updated, triaged };

/// apply() is what pipeline::start_projector calls; it is idempotent. Its position stands in the state. Records that
/// come together are one transaction: a fleet's incidents change at the same minute, and each would wait for the disk.
class AlertList {
 public:
  /// Called on the projector's thread after a change is stored.
  using Listener = std::function<void(AlertEvent, const state::Alert&)>;

  /// The same for incidents.
  using IncidentListener = std::function<void(const state::Incident&)>;

  AlertList(state::Alerts& alerts, state::Incidents& incidents, Listener listener,
            IncidentListener incident_listener = {})
      : alerts_(alerts),
        incidents_(incidents),
        listener_(std::move(listener)),
        incident_listener_(std::move(incident_listener)) {}

  Result<> apply(std::span<const journal::RecordView> records, const journal::Position& after);
  /// What stands before `position` was applied by an earlier run.
  void resume(const journal::Position& position);
  /// Waits until the record was applied. False: not within `timeout`. Any thread.
  bool wait_applied(journal::RecordId id, Duration timeout);

  struct Stats {
    std::uint64_t changes = 0;
    std::uint64_t triages = 0;
    std::uint64_t incident_changes = 0;
    std::uint64_t rejected = 0;  ///< Records that could not be read; logged with their position.
  };
  [[nodiscard]] Stats stats() const { return {changes_, triages_, incident_changes_, rejected_}; }

 private:
  /// What one transaction did, told and counted when it is durable.
  struct Done {
    Stats stats;
    std::vector<std::variant<std::pair<AlertEvent, state::Alert>, state::Incident>> changes;
  };

  Result<> apply_one(const journal::RecordView& record, const std::string& position);
  Result<> apply_change(const journal::RecordView& record, const std::string& position);
  Result<> apply_triage(const journal::RecordView& record, const std::string& position);
  Result<> apply_incident(const journal::RecordView& record, const std::string& position);
  Result<> apply_incident_triage(const state::IncidentTriage& triage, const std::string& position);
  void note_incidents(std::uint64_t sequence);
  void tell();
  Result<> reject(const journal::RecordView& record, const Error& error, const std::string& position);

  state::Alerts& alerts_;
  state::Incidents& incidents_;
  Listener listener_;
  IncidentListener incident_listener_;
  Done done_;  // projector's thread
  std::mutex mutex_;
  std::condition_variable changed_;
  journal::Position applied_;
  std::atomic<std::uint64_t> changes_ = 0;
  std::atomic<std::uint64_t> triages_ = 0;
  std::atomic<std::uint64_t> incident_changes_ = 0;
  std::atomic<std::uint64_t> rejected_ = 0;
};

/// Body of a triage record in the derived journal, and back (docs/formats/triage.md). Errors: malformed "triage.…".
std::string to_json(const state::Triage& triage);
Result<state::Triage> parse_triage(std::string_view json);
/// Of one about an incident. Errors: not_found: it is about an alert; malformed "triage.…".
std::string to_json(const state::IncidentTriage& triage);
Result<state::IncidentTriage> parse_incident_triage(std::string_view json);

}  // namespace picket::server
