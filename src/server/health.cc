#include "health.h"

#include <algorithm>
#include <string>

#include "counter_group.h"

namespace picket::server {
namespace {

void add_journal(Group& group, const std::string& prefix, const journal::Stats& stats) {
  group.add(prefix + "records_durable", stats.records_durable)
      .add(prefix + "bytes_durable", stats.bytes_durable)
      .add(prefix + "commits", stats.groups)
      .add(prefix + "records_pending", stats.records_pending)
      .add(prefix + "bytes_pending", stats.bytes_pending)
      .add(prefix + "rejected_full", stats.rejected_full)
      .add(prefix + "rejected_reserve", stats.rejected_reserve)
      .add(prefix + "records_failed", stats.records_failed)
      .add(prefix + "write_failures", stats.write_failures)
      .add(prefix + "failing", stats.failing ? 1 : 0)
      .add(prefix + "segments", stats.segments)
      .add(prefix + "bytes_stored", stats.bytes_stored)
      .add(prefix + "segments_deleted", stats.segments_deleted)
      .add(prefix + "retention_blocked", stats.retention_blocked)
      .add(prefix + "corruptions", stats.corruptions)
      .add(prefix + "losses_accepted", stats.losses_accepted);
}

api::CounterGroup pipeline_counters(const pipeline::Stats& stats, const AlertList::Stats& alerts,
                                    const Housekeeper::Stats& housekeeper) {
  Group group("pipeline");
  group.add("records", stats.records)
      .add("messages", stats.messages)
      .add("messages_other", stats.messages_other)
      .add("events", stats.events)
      .add("rows", stats.rows)
      .add("duplicate_messages", stats.duplicate_messages)
      .add("duplicate_events", stats.duplicate_events)
      .add("dead_letters", stats.dead_letters)
      .add("findings", stats.findings)
      .add("alerts", stats.alerts)
      .add("alert_changes", stats.alert_changes)
      .add("alert_changes_suppressed", stats.alert_changes_suppressed)
      .add("fingerprints", stats.fingerprints)
      .add("fingerprints_evicted", stats.fingerprints_evicted)
      .add("stream_senders", stats.stream_senders)
      .add("stream_senders_evicted", stats.stream_senders_evicted)
      .add("stream_gaps_given_up", stats.stream_gaps_given_up)
      .add("devices_evicted", stats.devices_evicted)
      .add("detector_entries_evicted", stats.detector_entries_evicted)
      .add("open_alerts", stats.open_alerts)
      .add("open_alerts_evicted", stats.open_alerts_evicted)
      .add("sink_full_waits", stats.sink_full_waits)
      .add("derived_retries", stats.derived_retries)
      .add("control_records_bad", stats.control_records_bad)
      .add("checkpoints", stats.checkpoints)
      .add("checkpoint_failures", stats.checkpoint_failures)
      .add("replaying", stats.replaying ? 1 : 0)
      .add("stopped_at_corruption", stats.stopped_at_corruption ? 1 : 0)
      .add("alerts_projected", alerts.changes)
      .add("triages_projected", alerts.triages)
      .add("incidents_projected", alerts.incident_changes)
      .add("open_incidents", stats.open_incidents)
      .add("incident_alerts_left_out", stats.incident_alerts_left_out)
      .add("suppressions", stats.suppressions)
      .add("derived_records_rejected", alerts.rejected)
      .add("ticks", housekeeper.ticks)
      .add("ticks_refused", housekeeper.ticks_refused)
      .add("audit_records_sent", housekeeper.outbox_sent)
      .add("housekeeping_failures", housekeeper.failures);
  return group.take();
}

api::CounterGroup workspace_counters(const workspace::WorkspaceStats& stats) {
  Group group("workspace");
  group.add("queries", stats.queries)
      .add("queries_failed", stats.queries_failed)
      .add("queries_running", stats.queries_running)
      .add("queries_waiting", stats.queries_waiting)
      .add("leftovers_removed", stats.leftovers_removed)
      .add("damaged_files", stats.damaged_files);
  for (const workspace::StreamStats& stream : stats.streams) {
    const std::string prefix = stream.name + "_";
    group.add(prefix + "hot_rows", stream.hot_rows)
        .add(prefix + "hot_bytes", stream.hot_bytes)
        .add(prefix + "segments", stream.segments)
        .add(prefix + "segment_rows", stream.segment_rows)
        .add(prefix + "segment_bytes", stream.segment_bytes)
        .add(prefix + "rows_appended", stream.rows_appended)
        .add(prefix + "appends_refused", stream.appends_refused)
        .add(prefix + "texts_repaired", stream.texts_repaired)
        .add(prefix + "seals", stream.seals)
        .add(prefix + "seal_failures", stream.seal_failures)
        .add(prefix + "merges", stream.merges)
        .add(prefix + "segments_dropped", stream.segments_dropped)
        .add(prefix + "rows_dropped", stream.rows_dropped)
        .add(prefix + "archived_rows", stream.archived_rows)
        .add(prefix + "archived_bytes", stream.archived_bytes)
        .add(prefix + "rows_archived", stream.rows_archived)
        .add(prefix + "agings", stream.agings)
        .add(prefix + "ageing_failures", stream.ageing_failures);
  }
  return group.take();
}

}  // namespace

std::vector<api::CounterGroup> Health::counters() const {
  Group journals("journal");
  add_journal(journals, "", parts_.messages.stats());
  add_journal(journals, "derived_", parts_.derived.stats());
  auto out = parts_.hub();
  out.push_back(journals.take());
  out.push_back(pipeline_counters(parts_.pipeline(), parts_.alerts.stats(), parts_.housekeeper.stats()));
  out.push_back(workspace_counters(parts_.workspace.stats()));
  if (parts_.software) out.push_back(parts_.software());
  return out;
}

api::Lag Health::lag() const {
  const pipeline::Stats stats = parts_.pipeline();
  api::Lag out;
  const auto position = journal::Position::parse(stats.position);
  if (!position) return out;
  // The embedded journal has one stream. Its end as it is now: the pipeline's own word is from before the batch that it
  // works on.
  const std::uint64_t done = position->next_of(0);
  const std::uint64_t durable = parts_.messages.end().next_of(0);
  out.records = durable > done ? durable - done : 0;
  if (out.records > 0) {
    out.milliseconds =
        static_cast<double>(std::max<std::int64_t>(0, (parts_.clock.now() - stats.processed_time).us)) / 1e3;
  }
  return out;
}

api::DeadLetters Health::dead_letters() const {
  api::DeadLetters out{.total = parts_.pipeline().dead_letters};
  for (const api::MinuteCount& minute : parts_.dead_letter_rate.per_minute(parts_.clock.now())) {
    out.last_hour += minute.count;
  }
  return out;
}

std::vector<api::MinuteCount> Health::events_per_minute(Timestamp now) const { return parts_.rate.per_minute(now); }
double Health::events_per_second(Timestamp now) const { return parts_.rate.per_second(now); }

}  // namespace picket::server
