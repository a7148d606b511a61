// Counters of the pipeline, for operators.
#pragma once

#include <cstdint>
#include <string>

#include "base/core/time.h"

namespace picket::pipeline {

/// Counts since the start of the process, replay included, unless it says otherwise.
struct Stats {
  std::uint64_t records = 0;             ///< Journal records of all kinds.
  std::uint64_t messages = 0;            ///< Security messages.
  std::uint64_t messages_other = 0;      ///< Telemetry that is not marked as security messages.
  std::uint64_t hub_records = 0;         ///< Events of the hub and audit records.
  std::uint64_t hub_records_bad = 0;     ///< That could not be read; stored, not looked at.
  std::uint64_t hub_records_double = 0;  ///< Audit records that were appended again after a crash.
  std::uint64_t events = 0;
  std::uint64_t rows = 0;  ///< Given to the workspace, dead letters included.
  std::uint64_t duplicate_messages = 0;
  std::uint64_t duplicate_events = 0;
  std::uint64_t dead_letters = 0;         ///< Messages and single events.
  std::uint64_t control_records_bad = 0;  ///< Group or rules changes that could not be read.
  std::uint64_t findings = 0;
  std::uint64_t alerts = 0;         ///< New ones written to the derived journal.
  std::uint64_t alert_changes = 0;  ///< All changes written.
  std::uint64_t recommendation_changes = 0;
  std::uint64_t incident_changes = 0;
  std::uint64_t alert_changes_suppressed = 0;  ///< Made by replay, durable before.

  // Bounds that were reached.
  std::uint64_t stream_senders = 0;  ///< Now; bound kStreamSendersMax.
  std::uint64_t stream_senders_evicted = 0;
  std::uint64_t stream_gaps_given_up = 0;  ///< Sequence numbers that never came.
  std::uint64_t fingerprints = 0;          ///< Now; bound kFingerprintsMax.
  std::uint64_t fingerprints_evicted = 0;  ///< Forgotten before their ten minutes.
  std::uint64_t devices_known = 0;         ///< With a group; bound kDevicesMax.
  std::uint64_t devices_evicted = 0;
  std::uint64_t detector_entries_evicted = 0;
  std::uint64_t recommendations = 0;  ///< Now; bound kRecommendationsMax.
  std::uint64_t recommendations_evicted = 0;
  std::uint64_t open_alerts = 0;  ///< Now; bound kOpenAlertsMax.
  std::uint64_t open_alerts_evicted = 0;
  std::uint64_t open_incidents = 0;            ///< Now; bound kIncidentsMax.
  std::uint64_t incident_alerts_left_out = 0;  ///< Alerts and incidents that had no place.
  std::uint64_t suppressions = 0;              ///< Rules in force, expired ones included.
  std::uint64_t sink_full_waits = 0;           ///< Times the workspace was full and the pipeline waited.
  std::uint64_t derived_retries =
      0;  ///< Times the derived journal refused alert changes, which were then offered again.

  // Where it stands.
  std::string position;  ///< In the messages journal.
  std::string journal_end;
  Timestamp processed_time;            ///< Enqueued time of the newest record processed.
  Timestamp journal_time;              ///< Enqueued time of the newest durable record: the difference is the lag.
  bool replaying = false;              ///< Behind what was durable at the start.
  bool stopped_at_corruption = false;  ///< Waits for the operator: Journal::accept_loss.
  std::uint64_t checkpoints = 0;
  std::uint64_t checkpoint_failures = 0;
  std::uint64_t checkpoint_bytes = 0;  ///< Of the last one.
  std::string last_error;
};

}  // namespace picket::pipeline
