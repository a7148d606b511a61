#include "agent/aggregate.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::agent {
namespace {

using namespace std::string_literals;

constexpr Timestamp kStart{1'800'000'000'000'000};

/// Remembers what left the aggregation, with copies of the texts that tests look at.
struct Recorder final : AggregateSink {
  struct Process {
    std::string argv;
    Hits hits;
    Priority priority;
  };
  struct Connection {
    ConnectionRecord record;
    ConnectionHits hits;
    Priority priority;
  };
  std::vector<Process> processes;
  std::vector<Connection> connections;
  int logins = 0;

  void process(const ProcessRecord& record, const Hits& hits, Priority priority) override {
    processes.push_back({std::string(record.argv), hits, priority});
  }
  void connection(const ConnectionRecord& record, const ConnectionHits& hits, Priority priority) override {
    connections.push_back({record, hits, priority});
  }
  void login(const LoginRecord&) override { ++logins; }
  void system(const SystemRecord&) override {}
  void heartbeat(const HeartbeatRecord&) override {}
  void statistics(const StatisticsRecord&) override {}
  void event(const EventRecord& record, const Hits& hits, const EventSums& sums, Priority priority) override {
    events.push_back({std::string(record.items), hits, sums, priority});
  }
  struct Event {
    std::string items;
    Hits hits;
    EventSums sums;
    Priority priority;
  };
  std::vector<Event> events;
};

class AggregateTest : public ::testing::Test {
 protected:
  Moment at(Duration since) const { return {kStart + since, Duration::seconds(100) + since}; }
  static Duration mono(Duration since) { return Duration::seconds(100) + since; }

  ProcessRecord process(std::string_view argv, Duration since = {}) const {
    ProcessRecord record;
    record.argv = argv;
    record.executable = "/usr/bin/x";
    record.time = at(since);
    return record;
  }
  ConnectionRecord connection(ConnectionRecord::Kind kind, Duration since = {}) const {
    ConnectionRecord record;
    record.kind = kind;
    record.direction = ConnectionRecord::Direction::out;
    record.time = at(since);
    record.local = {{{10, 0, 0, 1}, 4}, 40'000};
    record.remote = {{{192, 0, 2, 7}, 4}, 443};
    return record;
  }

  Recorder out_;
  Aggregator aggregator_{{}, out_};
};

TEST_F(AggregateTest, SendsTheFirstOccurrenceAtOnceAndCountsTheRest) {
  for (int i = 0; i < 5; ++i) aggregator_.emit(process("ls\0-l"s, Duration::seconds(i)));
  ASSERT_EQ(out_.processes.size(), 1u);
  EXPECT_EQ(out_.processes[0].priority, Priority::urgent);
  EXPECT_TRUE(out_.processes[0].hits.single());

  aggregator_.on_time(mono(Duration::hours(2)) - Duration{1});
  EXPECT_EQ(out_.processes.size(), 1u) << "the window is not over";
  aggregator_.on_time(mono(Duration::hours(2)));
  ASSERT_EQ(out_.processes.size(), 2u);
  EXPECT_EQ(out_.processes[1].argv, "ls\0-l"s);
  EXPECT_EQ(out_.processes[1].hits.count, 4u);
  EXPECT_EQ(out_.processes[1].hits.first, kStart + Duration::seconds(1));
  EXPECT_EQ(out_.processes[1].hits.last, kStart + Duration::seconds(4));
  EXPECT_EQ(out_.processes[1].priority, Priority::medium);
}

TEST_F(AggregateTest, EachPartOfTheProcessKeyTellsRecordsApart) {
  aggregator_.emit(process("a"));
  auto other = process("b");
  aggregator_.emit(other);
  other = process("a");
  other.euid = 7;
  aggregator_.emit(other);
  other = process("a");
  other.executable = "/tmp/x";
  aggregator_.emit(other);
  other = process("a");
  other.stdio[0] = {.kind = StdioFact::Kind::socket, .family = 2, .inode = 5, .remote = {{{192, 0, 2, 9}, 4}, 4444}};
  aggregator_.emit(other);
  EXPECT_EQ(out_.processes.size(), 5u);
  other.stdio[0].inode = 6;  // the same thing again over a new connection
  other.stdio[0].remote.port = 5555;
  aggregator_.emit(other);
  EXPECT_EQ(out_.processes.size(), 5u);
}

EventRecord event(std::string_view identity, std::string_view items, Moment time, Priority priority) {
  return {.time = time,
          .event = {"Dns", message::Category::Triggered, message::EventType::Security},
          .priority = priority,
          .identity = identity,
          .items = items,
          .failed = true,
          .bytes_in = 10,
          .bytes_out = 3};
}

TEST_F(AggregateTest, CountedEventsSumUpInTheWindowOfTheirOwnPriority) {
  for (int i = 0; i < 4; ++i) aggregator_.emit(event("a", R"({"A":1})", at(Duration::seconds(i)), Priority::high));
  aggregator_.emit(event("b", R"({"A":2})", at(Duration::seconds(9)), Priority::low));
  ASSERT_EQ(out_.events.size(), 2u) << "the first of each leaves at once";
  EXPECT_EQ(out_.events[0].priority, Priority::urgent);
  EXPECT_EQ(out_.events[0].sums.bytes_in, 10u);

  EXPECT_LE(aggregator_.on_time(mono(Duration::minutes(10))), mono(Duration::minutes(30)));
  EXPECT_EQ(out_.events.size(), 2u) << "no window is over";
  aggregator_.on_time(mono(Duration::minutes(30)));
  ASSERT_EQ(out_.events.size(), 3u) << "low waits longer";
  EXPECT_EQ(out_.events[2].items, R"({"A":1})");
  EXPECT_EQ(out_.events[2].hits.count, 3u);
  EXPECT_EQ(out_.events[2].hits.last, kStart + Duration::seconds(3));
  EXPECT_EQ(out_.events[2].sums.failed, 3u);
  EXPECT_EQ(out_.events[2].sums.bytes_out, 9u);
  EXPECT_EQ(out_.events[2].priority, Priority::high);
}

TEST_F(AggregateTest, EventsWithoutIdentityPassUncounted) {
  for (int i = 0; i < 2; ++i) aggregator_.emit(event("", R"({"A":1})", at({}), Priority::low));
  ASSERT_EQ(out_.events.size(), 2u);
  EXPECT_EQ(out_.events[1].hits.count, 0u);
  EXPECT_EQ(out_.events[1].priority, Priority::low);
  EXPECT_EQ(aggregator_.entries(), 0u);
}

TEST_F(AggregateTest, PidParentAndWorkingDirectoryAreNoPartOfTheKey) {
  auto record = process("a");
  aggregator_.emit(record);
  record.pid = 9;
  record.ppid = 8;
  record.cwd = "/home";
  aggregator_.emit(record);
  EXPECT_EQ(out_.processes.size(), 1u);
}

TEST_F(AggregateTest, OutgoingConnectionsFixTheRemotePortIncomingTheLocalOne) {
  using Kind = ConnectionRecord::Kind;
  auto record = connection(Kind::opened);
  aggregator_.emit(record);
  record.local.port = 40'001;
  aggregator_.emit(record);
  EXPECT_EQ(out_.connections.size(), 1u);
  record.remote.port = 444;
  aggregator_.emit(record);
  EXPECT_EQ(out_.connections.size(), 2u);
  record.direction = ConnectionRecord::Direction::in;
  aggregator_.emit(record);
  record.remote.port = 9;
  aggregator_.emit(record);
  EXPECT_EQ(out_.connections.size(), 3u);
  record.local.port = 22;
  aggregator_.emit(record);
  EXPECT_EQ(out_.connections.size(), 4u);
}

TEST_F(AggregateTest, ConnectionAggregateCarriesBytesFailuresHoursAndGaps) {
  using Kind = ConnectionRecord::Kind;
  aggregator_.emit(connection(Kind::opened));
  for (int i = 1; i <= 5; ++i) {
    aggregator_.emit(connection(i == 2 ? Kind::failed : Kind::opened, Duration::minutes(i)));
    auto closed = connection(Kind::closed, Duration::minutes(i) + Duration::seconds(1));
    closed.bytes_known = true;
    closed.bytes_in = static_cast<std::uint64_t>(100 * i);
    closed.bytes_out = 7;
    closed.lasted = Duration::seconds(i);
    aggregator_.emit(closed);
  }
  aggregator_.on_time(mono(Duration::hours(2)));
  ASSERT_EQ(out_.connections.size(), 2u);
  const ConnectionHits& hits = out_.connections[1].hits;
  EXPECT_EQ(hits.hits.count, 5u);
  EXPECT_EQ(hits.failed, 1u);
  EXPECT_EQ(hits.bytes_in.sum(), 1500u);
  EXPECT_EQ(hits.bytes_in.min(), 100u);
  EXPECT_EQ(hits.bytes_in.median(), 300u);
  EXPECT_EQ(hits.bytes_in.max(), 500u);
  EXPECT_EQ(hits.bytes_out.sum(), 35u);
  EXPECT_EQ(hits.lasted_max, Duration::seconds(5));
  EXPECT_THAT(hits.gaps.gaps_ms(), ::testing::ElementsAre(60'000u));
  EXPECT_THAT(hits.gaps.counts(), ::testing::ElementsAre(5u));
  EXPECT_EQ(std::accumulate(hits.hourly.begin(), hits.hourly.end(), 0u), 5u);
}

TEST_F(AggregateTest, BytesOfAConnectionReportedBeforeLeaveWithAHitCountOfZero) {
  using Kind = ConnectionRecord::Kind;
  aggregator_.emit(connection(Kind::opened));
  auto closed = connection(Kind::closed, Duration::seconds(9));
  closed.bytes_known = true;
  closed.bytes_in = 5;
  aggregator_.emit(closed);
  aggregator_.flush();
  ASSERT_EQ(out_.connections.size(), 2u);
  EXPECT_EQ(out_.connections[1].hits.hits.count, 0u);
  EXPECT_EQ(out_.connections[1].hits.bytes_in.sum(), 5u);
}

TEST_F(AggregateTest, AKeyIsForgottenAfterAWindowWithoutAHappening) {
  aggregator_.emit(process("a"));
  aggregator_.emit(process("a", Duration::minutes(90)));
  aggregator_.on_time(mono(Duration::hours(2)));
  EXPECT_EQ(aggregator_.entries(), 1u);
  aggregator_.on_time(mono(Duration::hours(4)));
  EXPECT_EQ(aggregator_.entries(), 0u);
  aggregator_.emit(process("a", Duration::hours(5)));
  ASSERT_EQ(out_.processes.size(), 3u);
  EXPECT_EQ(out_.processes[2].priority, Priority::urgent);
}

TEST_F(AggregateTest, FullTableReportsTheLongestUnusedEntryThenForgetsIt) {
  Aggregator small({.entries_max = 2}, out_);
  small.emit(process("a"));
  small.emit(process("a"));  // one repeat waits
  small.emit(process("b"));
  small.emit(process("c"));
  ASSERT_EQ(out_.processes.size(), 4u);
  const auto reported = std::ranges::find(out_.processes, Priority::medium, &Recorder::Process::priority);
  ASSERT_NE(reported, out_.processes.end());
  EXPECT_EQ(reported->argv, "a");
  EXPECT_EQ(reported->hits.count, 1u);
  EXPECT_EQ(small.entries(), 2u);
  EXPECT_EQ(small.counters().evicted, 1u);
}

TEST_F(AggregateTest, StaysBelowItsByteBudget) {
  Aggregator small({.bytes_max = 64 << 10}, out_);
  for (int i = 0; i < 500; ++i) {
    small.emit(process(std::to_string(i) + std::string(4000, 'x')));
    ASSERT_LE(small.memory_bytes(), 64u << 10);
  }
  EXPECT_EQ(out_.processes.size(), 500u);
}

TEST_F(AggregateTest, AnEntryKeepsItsOwnCopyOfTheTexts) {
  {
    std::string text = "gone\0soon"s;
    aggregator_.emit(process(text));
    aggregator_.emit(process(text));
    text.assign(text.size(), '#');
  }
  aggregator_.flush();
  EXPECT_EQ(out_.processes.back().argv, "gone\0soon"s);
}

TEST_F(AggregateTest, LoginsAreNotAggregated) {
  for (int i = 0; i < 3; ++i) aggregator_.emit(LoginRecord{});
  EXPECT_EQ(out_.logins, 3);
}

// Whatever happens to windows and evictions, the hit counts of a key add up to its happenings.
TEST_F(AggregateTest, HitCountsAddUpUnderAnyOrder) {
  std::mt19937 random(7);
  Aggregator small({.entries_max = 8}, out_);
  std::map<std::string, std::uint64_t> expected;
  Duration now;
  for (int i = 0; i < 20'000; ++i) {
    now = now + Duration::milliseconds(random() % 60'000);
    if (random() % 50 == 0) small.on_time(mono(now));
    const std::string name = "p" + std::to_string(random() % 16);
    small.emit(process(name, now));
    ++expected[name];
  }
  small.flush();
  std::map<std::string, std::uint64_t> counted;
  for (const auto& each : out_.processes) counted[each.argv] += each.hits.count;
  EXPECT_EQ(counted, expected);
  EXPECT_LE(small.entries(), 8u);
}

// ---- what the kernel counted while we were slow ----

TEST_F(AggregateTest, ACountedRecordIsAsManyHitsOverItsSpread) {
  ProcessRecord many = process("ls", Duration::seconds(10));
  many.count = 500;
  many.spread = Duration::seconds(4);
  aggregator_.emit(many);  // the first of its kind
  ASSERT_EQ(out_.processes.size(), 1u);
  EXPECT_EQ(out_.processes[0].hits.count, 500u);
  EXPECT_EQ(out_.processes[0].hits.first, kStart + Duration::seconds(10));
  EXPECT_EQ(out_.processes[0].hits.last, kStart + Duration::seconds(14));
  aggregator_.emit(process("ls", Duration::seconds(15)));
  aggregator_.emit(many);  // told late, as it is when the reader comes back
  aggregator_.flush();
  ASSERT_EQ(out_.processes.size(), 2u);
  EXPECT_EQ(out_.processes[1].hits.count, 501u);
  EXPECT_EQ(out_.processes[1].hits.first, kStart + Duration::seconds(10));
  EXPECT_EQ(out_.processes[1].hits.last, kStart + Duration::seconds(15));
}

TEST_F(AggregateTest, CountedConnectionsAddUpWithTheirFailuresAndBytes) {
  auto failed = connection(ConnectionRecord::Kind::failed);
  aggregator_.emit(connection(ConnectionRecord::Kind::opened));
  failed.count = 7;
  aggregator_.emit(failed);
  auto closed = connection(ConnectionRecord::Kind::closed);
  closed.count = 100;
  closed.bytes_known = true;
  closed.bytes_in = 12;
  aggregator_.emit(closed);
  aggregator_.flush();
  const ConnectionHits& hits = out_.connections.back().hits;
  EXPECT_EQ(hits.hits.count, 7u);
  EXPECT_EQ(hits.failed, 7u);
  EXPECT_EQ(hits.bytes_in.count(), 100u);
  EXPECT_EQ(hits.bytes_in.sum(), 1200u);
  EXPECT_EQ(hits.bytes_in.median(), 12u);
  EXPECT_TRUE(hits.gaps.gaps_ms().empty()) << "nobody knows when each of them was";
}

// ---- profile parity, caches, options that change ----

TEST_F(AggregateTest, InParityTheFirstWaitsForItsWindowToo) {
  Aggregator parity({.first_at_once = false}, out_);
  for (int i = 0; i < 3; ++i) parity.emit(process("ls", Duration::seconds(i)));
  parity.emit(connection(ConnectionRecord::Kind::opened));
  parity.emit(event("a", "{}", at({}), Priority::low));
  EXPECT_TRUE(out_.processes.empty());
  EXPECT_TRUE(out_.connections.empty());
  EXPECT_TRUE(out_.events.empty());
  parity.on_time(mono(Duration::hours(24)));
  ASSERT_EQ(out_.processes.size(), 1u);
  EXPECT_EQ(out_.processes[0].hits.count, 3u);
  EXPECT_EQ(out_.processes[0].hits.first, kStart);
  EXPECT_EQ(out_.processes[0].priority, Priority::medium);
  ASSERT_EQ(out_.connections.size(), 1u);
  EXPECT_EQ(out_.connections[0].hits.hits.count, 1u);
  EXPECT_EQ(out_.connections[0].hits.gaps.gaps_ms().size(), 0u) << "the first one follows nothing";
  ASSERT_EQ(out_.events.size(), 1u);
  EXPECT_EQ(out_.events[0].priority, Priority::low);
}

TEST_F(AggregateTest, InParityHighPriorityStillLeavesAtOnce) {
  Aggregator parity({.first_at_once = false, .process_priority = Priority::high}, out_);
  parity.emit(process("ls"));
  parity.emit(event("a", "{}", at({}), Priority::high));
  EXPECT_EQ(out_.processes.size(), 1u);
  EXPECT_EQ(out_.events.size(), 1u);
}

TEST_F(AggregateTest, InParityWindowsEndTogether) {
  Aggregator parity({.first_at_once = false}, out_);
  for (int i = 0; i < 50; ++i) parity.emit(process("p" + std::to_string(i), Duration::minutes(i)));
  // Multiples of two hours on the monotonic clock, which began 100 s before.
  const Duration boundary = Duration::hours(2);
  EXPECT_EQ(parity.on_time(boundary - Duration{1}), boundary);
  EXPECT_TRUE(out_.processes.empty());
  parity.on_time(boundary);
  EXPECT_EQ(out_.processes.size(), 50u);
}

TEST_F(AggregateTest, ACollectorsCacheBoundsOnlyItsOwnEntries) {
  Aggregator small({.entries_by_collector = {{"dns", 2}}}, out_);
  const auto emit = [&](std::string_view collector, std::string_view identity) {
    auto record = event(identity, "{}", at({}), Priority::low);
    record.origin.collector = collector;
    small.emit(record);
  };
  for (const char* identity : {"a", "b", "c", "d"}) emit("dns", identity);
  for (const char* identity : {"e", "f", "g", "h"}) emit("peripheral", identity);
  EXPECT_EQ(small.entries(), 6u);
  EXPECT_EQ(small.counters().evicted, 2u);
  emit("dns", "d");
  EXPECT_EQ(out_.events.size(), 8u) << "the newest are known";
  emit("dns", "a");
  EXPECT_EQ(out_.events.size(), 9u) << "the oldest was forgotten";
}

TEST_F(AggregateTest, ChangedOptionsFirstReportWhatWasCounted) {
  for (int i = 0; i < 3; ++i) aggregator_.emit(process("ls", Duration::seconds(i)));
  aggregator_.change_options({.process_priority = Priority::high});
  ASSERT_EQ(out_.processes.size(), 2u);
  EXPECT_EQ(out_.processes[1].hits.count, 2u);
  EXPECT_EQ(out_.processes[1].priority, Priority::medium);
  aggregator_.emit(process("ls", Duration::seconds(9)));
  EXPECT_EQ(out_.processes.size(), 2u) << "the key is still known";
  aggregator_.on_time(mono(Duration::minutes(31)));
  ASSERT_EQ(out_.processes.size(), 3u);
  EXPECT_EQ(out_.processes[2].priority, Priority::high);
}

TEST_F(AggregateTest, FlowsAccountForEachCollector) {
  auto record = process("ls");
  record.origin.collector = "process";
  for (int i = 0; i < 5; ++i) aggregator_.emit(record);
  auto single = event("", "{}", at({}), Priority::low);
  single.origin.collector = "sbom";
  aggregator_.emit(single);
  aggregator_.flush();
  ASSERT_EQ(aggregator_.counters().flows.size(), 2u);
  EXPECT_EQ(aggregator_.counters().flows[0].taken, 5u);
  EXPECT_EQ(aggregator_.counters().flows[0].sent, 2u) << "the first, and one for the other four";
  EXPECT_EQ(aggregator_.counters().flows[1].taken, 1u);
  EXPECT_EQ(aggregator_.counters().flows[1].sent, 1u);
}

TEST(GapSketch, RoundsUpToTwoSignificantDigits) {
  const auto ms = [](std::int64_t n) { return GapSketch::quantise(Duration::milliseconds(n)); };
  EXPECT_EQ(ms(-5), 0u);
  EXPECT_EQ(ms(0), 0u);
  EXPECT_EQ(ms(1), 1u);
  EXPECT_EQ(ms(99), 99u);
  EXPECT_EQ(ms(101), 110u);
  EXPECT_EQ(ms(60'000), 60'000u);
  EXPECT_EQ(ms(60'001), 61'000u);
  EXPECT_EQ(ms(99'500), 100'000u);
  EXPECT_EQ(GapSketch::quantise(Duration::days(400)), 4'200'000'000u);
}

TEST(GapSketch, NeverHoldsMoreThanItsBound) {
  GapSketch sketch;
  for (int i = 1; i < 5000; ++i) sketch.add(Duration::milliseconds(i * 13));
  EXPECT_EQ(sketch.gaps_ms().size(), GapSketch::kGaps);
  EXPECT_EQ(sketch.counts().size(), GapSketch::kGaps);
  EXPECT_TRUE(std::ranges::is_sorted(sketch.gaps_ms()));
}

TEST(Quantiles, AreExactUpToTheirSampleAndBoundedAfter) {
  Quantiles exact;
  for (const std::uint64_t value : {9u, 1u, 5u}) exact.add(value);
  EXPECT_EQ(exact.median(), 5u);
  Quantiles many;
  for (std::uint64_t i = 0; i < 10'000; ++i) many.add(i);
  EXPECT_EQ(many.min(), 0u);
  EXPECT_EQ(many.max(), 9'999u);
  EXPECT_GT(many.median(), 1'500u);
  EXPECT_LT(many.median(), 8'500u);
  many.add(std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(many.sum(), std::numeric_limits<std::uint64_t>::max());
}

}  // namespace
}  // namespace picket::agent
