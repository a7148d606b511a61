// From aggregated records to events of security message 3.0 (schema/events.yaml).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "agent/aggregate.h"
#include "agent/priority.h"
#include "agent/user_names.h"
#include "base/core/time.h"

namespace picket::agent {

/// Takes encoded events: the outbox.
class EventSink {
 public:
  virtual ~EventSink() = default;
  /// `event` is one JSON object made by message::encode_event.
  virtual void deliver(Priority priority, std::string_view event) = 0;
};

/// What the agent knows about itself, for SystemInformation and Heartbeat.
struct AgentFacts {
  std::string collectors_json;  ///< [{"Name","Tier","Coverage","Reason"}]
  std::uint64_t spool_bytes = 0;
  std::uint64_t dropped_events = 0;  ///< By collectors, outbox and spool, since the agent started.
};

/// One thread. Logins leave as `high`, everything periodic as `low`; both at once.
class EventEncoder final : public AggregateSink {
 public:
  using FactsNow = std::function<AgentFacts()>;
  /// All outlive the encoder. `facts` is asked when an event needs them: collecting them costs system calls.
  EventEncoder(EventSink& sink, UserNames& users, FactsNow facts)
      : sink_(sink), users_(users), facts_(std::move(facts)) {}

  void process(const ProcessRecord& record, const Hits& hits, Priority priority) override;
  void connection(const ConnectionRecord& record, const ConnectionHits& hits, Priority priority) override;
  void login(const LoginRecord& record) override;
  void system(const SystemRecord& record) override;
  void heartbeat(const HeartbeatRecord& record) override;
  void statistics(const StatisticsRecord& record) override;
  void event(const EventRecord& record, const Hits& hits, const EventSums& sums, Priority priority) override;

 private:
  template <class Payload>
  void send(Priority priority, Timestamp time, const Payload& payload);

  EventSink& sink_;
  UserNames& users_;
  FactsNow facts_;
};

/// "192.0.2.7", "2001:db8::1" (RFC 5952); empty for none.
std::string format_address(const IpAddress& address);
/// Arguments joined with single spaces; `argv` has a NUL after each.
std::string join_arguments(std::string_view argv);

}  // namespace picket::agent
