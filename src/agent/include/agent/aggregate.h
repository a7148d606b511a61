// Turns the stream of records into first occurrences, sent at once, and counts of repeats, sent once a window.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/priority.h"
#include "agent/record.h"
#include "agent/sketch.h"
#include "base/core/bytes.h"

namespace picket::agent {

/// What a record that leaves the aggregation stands for.
struct Hits {
  std::uint64_t count = 1;  ///< Happenings. 0: only what was learned later about one reported before (its bytes).
  Timestamp first;
  Timestamp last;
  [[nodiscard]] bool single() const { return count == 1 && first == last; }
};

/// The same for connections, with what makes beacons and transfers visible (spec/detection.md, section 8).
struct ConnectionHits {
  Hits hits;
  std::uint64_t failed = 0;
  Quantiles bytes_in, bytes_out;  ///< Of connections that closed in this window.
  Duration lasted_max;
  std::array<std::uint32_t, 24> hourly{};  ///< By UTC hour of the happening.
  GapSketch gaps;
};

/// What is summed beside the count of an EventRecord.
struct EventSums {
  std::uint64_t failed = 0, bytes_in = 0, bytes_out = 0;
};

/// Receives what leaves. A record's views live only during the call.
class AggregateSink {
 public:
  virtual ~AggregateSink() = default;
  virtual void process(const ProcessRecord& record, const Hits& hits, Priority priority) = 0;
  virtual void connection(const ConnectionRecord& record, const ConnectionHits& hits, Priority priority) = 0;
  virtual void login(const LoginRecord& record) = 0;
  virtual void system(const SystemRecord& record) = 0;
  virtual void heartbeat(const HeartbeatRecord& record) = 0;
  virtual void statistics(const StatisticsRecord& record) = 0;
  /// `hits.count` is 0 for an event that is not counted.
  virtual void event(const EventRecord& record, const Hits& hits, const EventSums& sums, Priority priority) = 0;
};

template <class Entry>
class AggregateTable;

struct AggregateOptions {
  std::size_t entries_max = 1'024;    ///< Of each table.
  std::size_t bytes_max = 512 << 10;  ///< Of each table, texts and sketches included.
  /// False, as the old agent: what happens first waits for its window too, unless its priority is high; windows of a
  /// priority end together.
  bool first_at_once = true;
  /// By collector: entries of its own at most, below entries_max.
  std::map<std::string, std::size_t, std::less<>> entries_by_collector;
  Priority process_priority = Priority::medium;
  Priority connection_priority = Priority::medium;
  /// By priority; index with static_cast. Urgent is not a window: 0.
  std::array<Duration, kPriorities> window{Duration::hours(24), Duration::hours(2), Duration::minutes(30), Duration{}};
};

/// What became of one collector's records.
struct CollectorFlow {
  std::string_view collector;  ///< Static storage.
  std::uint64_t taken = 0;     ///< Records that came.
  std::uint64_t sent = 0;      ///< Records that left for them.
};

struct AggregateCounters {
  std::uint64_t taken = 0;       ///< Records of processes and connections.
  std::uint64_t passed = 0;      ///< Left at once.
  std::uint64_t aggregated = 0;  ///< Counted into an entry.
  std::uint64_t reported = 0;    ///< Aggregates that left.
  std::uint64_t evicted = 0;     ///< Of these, because the table was full.
  std::vector<CollectorFlow> flows;
};

/// Keys are those that were published (spec/security-message.md, section 7):
///   process     kind, command line, executable, effective user, what stdin/stdout/stderr are if sockets
///   connection  direction, both addresses, protocol, executable, command line, user and the fixed port: local when
///               incoming, remote when outgoing, both when the direction is unknown
///   event       event name and EventRecord::identity; its window is that of the record's own priority
/// Stdio is part of the key so that a shell on a socket is never hidden behind the same shell on a terminal. Logins,
/// system information, heartbeats and statistics pass through.
///
/// The first occurrence of a key leaves at once as `urgent` (unless first_at_once is off). Repeats are counted; when
/// the window of the key's priority ends they leave as one record with the key's priority, and counting begins anew. A
/// key is forgotten after one window without a happening. Over all records of a key, Hits::count adds up to the number
/// of happenings. A full table first reports its longest unused entry, then forgets it. Pure; one thread; time comes
/// with the records.
class Aggregator final : public RecordSink {
 public:
  Aggregator(AggregateOptions options, AggregateSink& sink);
  ~Aggregator() override;

  void emit(const ProcessRecord& record) override;
  void emit(const ConnectionRecord& record) override;
  void emit(const LoginRecord& record) override { sink_.login(record); }
  void emit(const SystemRecord& record) override { sink_.system(record); }
  void emit(const HeartbeatRecord& record) override { sink_.heartbeat(record); }
  void emit(const StatisticsRecord& record) override { sink_.statistics(record); }
  void emit(const EventRecord& record) override;

  /// Reports what is due. `now` is monotonic. Returns when the next may be due; nothing that is
  /// emitted until then is due earlier.
  Duration on_time(Duration now);
  /// Reports everything that was counted, and keeps the keys.
  void flush();
  /// Flushes, then goes on with these.
  void change_options(AggregateOptions options);

  [[nodiscard]] const AggregateCounters& counters() const { return counters_; }
  [[nodiscard]] std::size_t entries() const;
  [[nodiscard]] std::size_t memory_bytes() const;

 private:
  struct ProcessEntry;
  struct ConnectionEntry;
  struct EventEntry;

  [[nodiscard]] bool first_waits(Priority priority) const;
  CollectorFlow& flow(std::string_view collector);
  void pass(std::string_view collector);

  AggregateOptions options_;
  AggregateSink& sink_;
  AggregateCounters counters_;
  std::unique_ptr<AggregateTable<ProcessEntry>> processes_;
  std::unique_ptr<AggregateTable<ConnectionEntry>> connections_;
  std::unique_ptr<AggregateTable<EventEntry>> events_;
};

}  // namespace picket::agent
