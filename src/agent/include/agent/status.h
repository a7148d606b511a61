// What the agent says about itself, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "agent/aggregate.h"
#include "agent/collector.h"
#include "agent/hardening.h"
#include "agent/outbox.h"
#include "agent/spool.h"
#include "agent/twin_settings.h"
#include "agent/uplink.h"

namespace picket::agent {

struct CollectorStatus {
  std::string name;
  std::string tier;    ///< Empty: not running.
  std::string reason;  ///< Why no better tier, or why none; empty when the best one runs.
  bool enabled = true;
  bool sampled = false;
  Counters counters;
};

/// One moment of the running agent; a copy, so that it can be formatted anywhere.
struct AgentStatus {
  std::string version;
  std::string identity;  ///< "device" or "device/module".
  std::string hub;       ///< "host:port" that is connected to.
  Timestamp now;
  Timestamp started;
  UplinkStatus uplink;
  std::vector<CollectorStatus> collectors;
  AggregateCounters aggregation;
  std::size_t aggregate_entries = 0;
  std::size_t aggregate_bytes = 0;
  OutboxCounters outbox;
  std::string spool_place;  ///< Directory, or why it is in memory.
  bool spool_on_disk = false;
  std::uint64_t spool_messages = 0;
  std::uint64_t spool_bytes = 0;
  std::uint64_t spool_bytes_max = 0;
  std::size_t spool_in_flight = 0;
  SpoolDrops spool_drops;
  std::string last_acknowledged;  ///< "epoch-sequence"; empty: none yet.
  std::string_view profile = "prompt";
  TwinStatus twin;
  std::vector<HardeningPart> hardening;
};

std::string status_json(const AgentStatus& status);
/// Aligned lines for a terminal.
std::string status_table(const AgentStatus& status);

}  // namespace picket::agent
