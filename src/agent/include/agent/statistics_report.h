// What each part of the agent took, sent and lost since the last report: the Statistics events.
#pragma once

#include <map>
#include <span>
#include <string>

#include "agent/aggregate.h"
#include "agent/collector.h"
#include "agent/lost_events.h"
#include "agent/outbox.h"
#include "agent/spool.h"

namespace picket::agent {

/// One collector as the report needs it. Views have static storage.
struct CollectorAccount {
  std::string_view name, tier;
  bool sampled = false;
  Counters counters;  ///< Since the agent started.
};

/// Everything since the agent started (of the spool: ever).
struct AgentAccounts {
  std::span<const CollectorAccount> collectors;
  const AggregateCounters& aggregation;
  const OutboxCounters& outbox;
  const SpoolDrops& spool;
  std::uint64_t acknowledged = 0;  ///< Messages.
  const LostEvents* lost =
      nullptr;  ///< Since the agent started. Its keys live as long as the records' sink needs them.
};

/// Each send() reports the difference to the one before: one record a collector, one for the outbox and one for the
/// spool, whose numbers are messages; "lost: ProcessCreate" in its details counts events, by the name that tells their
/// collector (docs/events.md). Pure; one thread.
class StatisticsReport {
 public:
  void send(RecordSink& sink, Moment now, const AgentAccounts& accounts);

 private:
  struct Last {
    Counters counters;
    CollectorFlow flow;
  };
  std::map<std::string, Last, std::less<>> last_;
  OutboxCounters last_outbox_;
  std::optional<SpoolDrops> last_spool_;
  LostEvents::Counts last_lost_;
  std::uint64_t last_acknowledged_ = 0;
};

}  // namespace picket::agent
