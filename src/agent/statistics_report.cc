#include "agent/statistics_report.h"

#include <algorithm>
#include <optional>
#include <vector>

namespace picket::agent {
namespace {

using Counts = std::array<std::uint64_t, kPriorities>;

constexpr std::array<std::array<std::string_view, kPriorities>, 4> kSpoolWords{{
    {"evicted: low", "evicted: medium", "evicted: high", "evicted: urgent"},
    {"expired: low", "expired: medium", "expired: high", "expired: urgent"},
    {"refused: low", "refused: medium", "refused: high", "refused: urgent"},
    {"damaged: low", "damaged: medium", "damaged: high", "damaged: urgent"},
}};

void add_differences(std::vector<StatisticsDetail>& out, const std::array<std::string_view, kPriorities>& words,
                     const Counts& before, const Counts& after) {
  for (std::size_t i = 0; i < kPriorities; ++i) {
    if (after[i] > before[i]) out.push_back({words[i], after[i] - before[i]});
  }
}

}  // namespace

void StatisticsReport::send(RecordSink& sink, Moment now, const AgentAccounts& accounts) {
  for (const CollectorAccount& each : accounts.collectors) {
    Last& last = last_[std::string(each.name)];
    const Counters& counters = each.counters;
    const auto& flows = accounts.aggregation.flows;
    const auto found = std::ranges::find(flows, each.name, &CollectorFlow::collector);
    const CollectorFlow flow = found != flows.end() ? *found : CollectorFlow{};
    const std::uint64_t sent = flow.sent - last.flow.sent, taken = flow.taken - last.flow.taken;
    const StatisticsDetail counted[] = {{"counted into others", taken > sent ? taken - sent : 0}};
    StatisticsRecord record{.time = now,
                            .origin = {each.name, each.tier, each.sampled},
                            .seen = counters.seen - last.counters.seen,
                            .delivered = counters.delivered - last.counters.delivered,
                            .dropped_kernel = counters.dropped_kernel - last.counters.dropped_kernel,
                            .dropped_user = counters.dropped_user - last.counters.dropped_user,
                            .incomplete = counters.incomplete - last.counters.incomplete};
    if (flow.taken > 0) {  // logins and the like do not pass the aggregation
      record.aggregated = sent;
      record.details = counted;
    }
    sink.emit(record);
    last = {counters, flow};
  }
  const OutboxCounters& outbox = accounts.outbox;
  sink.emit(StatisticsRecord{
      .time = now,
      .origin = {"outbox", "memory", false},
      .seen = outbox.events - last_outbox_.events,
      .delivered = outbox.events - outbox.dropped_events - (last_outbox_.events - last_outbox_.dropped_events),
      .dropped_user = outbox.dropped_events - last_outbox_.dropped_events});
  const SpoolDrops before = last_spool_.value_or(accounts.spool);  // drops are kept over restarts: not told again
  const SpoolDrops& after = accounts.spool;
  std::vector<StatisticsDetail> details;
  add_differences(details, kSpoolWords[0], before.evicted, after.evicted);
  add_differences(details, kSpoolWords[1], before.expired, after.expired);
  add_differences(details, kSpoolWords[2], before.refused, after.refused);
  add_differences(details, kSpoolWords[3], before.corrupted, after.corrupted);
  if (accounts.lost != nullptr) {
    for (const auto& [name, count] : accounts.lost->counts()) {
      std::uint64_t& told = last_lost_[name];
      if (count > told) details.push_back({name, count - told});
      told = count;
    }
  }
  sink.emit(StatisticsRecord{.time = now,
                             .origin = {"spool", "messages", false},
                             .seen = outbox.batches - last_outbox_.batches,
                             .delivered = accounts.acknowledged - last_acknowledged_,
                             .dropped_user = after.total() - before.total(),
                             .details = details});
  last_outbox_ = outbox;
  last_spool_ = after;
  last_acknowledged_ = accounts.acknowledged;
}

}  // namespace picket::agent
