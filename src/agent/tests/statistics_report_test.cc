#include "agent/statistics_report.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/log_lines.h"

namespace picket::agent {
namespace {

struct Sink final : RecordSink {
  struct Taken {
    std::string name;
    StatisticsRecord record;
    std::vector<StatisticsDetail> details;
  };
  std::vector<Taken> taken;
  void emit(const ProcessRecord&) override {}
  void emit(const ConnectionRecord&) override {}
  void emit(const LoginRecord&) override {}
  void emit(const SystemRecord&) override {}
  void emit(const HeartbeatRecord&) override {}
  void emit(const StatisticsRecord& record) override {
    taken.push_back({std::string(record.origin.collector), record, {record.details.begin(), record.details.end()}});
  }
  void emit(const EventRecord&) override {}
};

TEST(StatisticsReport, TellsWhatHappenedSinceTheLastOne) {
  Sink sink;
  StatisticsReport report;
  std::vector<CollectorAccount> collectors{
      {"process", "ebpf", false, {.seen = 10, .delivered = 8, .dropped_kernel = 2}}};
  AggregateCounters aggregation;
  aggregation.flows = {{"process", 8, 3}};
  OutboxCounters outbox{.events = 3, .batches = 2};
  SpoolDrops drops;
  drops.evicted[0] = 5;  // of an earlier run
  report.send(sink, {}, {collectors, aggregation, outbox, drops, 1});
  ASSERT_EQ(sink.taken.size(), 3u);
  EXPECT_EQ(sink.taken[0].record.seen, 10u);
  EXPECT_EQ(sink.taken[0].record.dropped_kernel, 2u);
  EXPECT_EQ(sink.taken[0].record.aggregated, 3u);
  EXPECT_EQ(sink.taken[0].details[0].count, 5u);
  EXPECT_EQ(sink.taken[1].name, "outbox");
  EXPECT_EQ(sink.taken[2].name, "spool");
  EXPECT_EQ(sink.taken[2].record.dropped_user, 0u);

  collectors[0].counters.seen = 15;
  collectors[0].counters.delivered = 13;
  aggregation.flows[0] = {"process", 13, 4};
  outbox = {.events = 5, .batches = 4, .dropped_events = 1};
  drops.evicted[0] = 7;
  drops.expired[3] = 1;
  sink.taken.clear();
  report.send(sink, {}, {collectors, aggregation, outbox, drops, 4});
  EXPECT_EQ(sink.taken[0].record.seen, 5u);
  EXPECT_EQ(sink.taken[0].record.delivered, 5u);
  EXPECT_EQ(sink.taken[0].record.dropped_kernel, 0u);
  EXPECT_EQ(sink.taken[0].record.aggregated, 1u);
  EXPECT_EQ(sink.taken[1].record.dropped_user, 1u);
  EXPECT_EQ(sink.taken[1].record.delivered, 1u);
  EXPECT_EQ(sink.taken[2].record.dropped_user, 3u);
  EXPECT_EQ(sink.taken[2].record.delivered, 3u);
  ASSERT_EQ(sink.taken[2].details.size(), 2u);
  EXPECT_EQ(sink.taken[2].details[0].description, "evicted: low");
  EXPECT_EQ(sink.taken[2].details[1].description, "expired: urgent");
}

TEST(LostEvents, AreCountedByTheirNamesNotByNamesInside) {
  LostEvents lost;
  lost.lost(as_bytes(std::string_view(R"({"Id":"1","Name":"ProcessCreate","Payload":[{"Name":"inner","A":"}\"{"}]},)"
                                      R"({"Name":"Login","Payload":[]},{"Payload":[{"Name":"x"}],"Name":"Login"})")));
  lost.lost(as_bytes(std::string_view(R"({"Id":"2"},{"Name":")"
                                      "a-name-that-is-longer-than-any-event-has-one"
                                      R"("})")));
  lost.lost(as_bytes(std::string_view(R"(}]{"Name":"cut)")));
  EXPECT_THAT(lost.counts(),
              ::testing::ElementsAre(::testing::Pair("lost: Login", 2), ::testing::Pair("lost: ProcessCreate", 1),
                                     ::testing::Pair("lost: other", 2)));
}

TEST(LostEvents, NamesAreBounded) {
  LostEvents lost;
  for (int i = 0; i < 1'000; ++i) lost.lost(as_bytes(R"({"Name":"N)" + std::to_string(i) + R"("})"));
  EXPECT_LE(lost.counts().size(), LostEvents::kNamesMax + 1);
  std::uint64_t all = 0;
  for (const auto& [name, count] : lost.counts()) all += count;
  EXPECT_EQ(all, 1'000u);
}

TEST(StatisticsReport, TellsLostEventsByNameOnce) {
  Sink sink;
  StatisticsReport report;
  LostEvents lost;
  lost.lost(as_bytes(std::string_view(R"({"Name":"Dns"},{"Name":"Dns"})")));
  const AggregateCounters aggregation;
  const OutboxCounters outbox;
  const SpoolDrops drops;
  const AgentAccounts accounts{{}, aggregation, outbox, drops, 0, &lost};
  report.send(sink, {}, accounts);
  ASSERT_EQ(sink.taken.size(), 2u);
  ASSERT_EQ(sink.taken[1].details.size(), 1u);
  EXPECT_EQ(sink.taken[1].details[0].description, "lost: Dns");
  EXPECT_EQ(sink.taken[1].details[0].count, 2u);
  report.send(sink, {}, accounts);
  EXPECT_TRUE(sink.taken[3].details.empty());
}

TEST(LogLines, AreBoundedInRateAndTellWhatWasLeftOut) {
  LogLines lines;
  for (int i = 0; i < 100; ++i) lines.add({}, {}, "line " + std::to_string(i));
  std::size_t taken = 0;
  while (lines.take()) ++taken;
  EXPECT_EQ(taken, LogLines::kBurst);
  EXPECT_EQ(lines.left_out(), 100 - LogLines::kBurst);
  lines.add({}, LogLines::kRefill, "later");
  const auto later = lines.take();
  ASSERT_TRUE(later);
  EXPECT_EQ(later->left_out, 100 - LogLines::kBurst);
  EXPECT_FALSE(lines.take());
}

TEST(LogLines, TheSameLineIsTakenOnceInAWhile) {
  LogLines lines;
  lines.add({}, {}, "spool: io");
  lines.add({}, Duration::minutes(1), "spool: io");
  lines.add({}, Duration::minutes(11), "spool: io");
  EXPECT_EQ(lines.take()->left_out, 0u);
  EXPECT_EQ(lines.take()->left_out, 1u);
  EXPECT_FALSE(lines.take());
}

TEST(LogLines, WarningsAreKeptForTheDump) {
  LogLines lines;
  lines.add({}, {}, "connected to hub:8883");
  for (int i = 0; i < 40; ++i) lines.add({}, {}, "warning: " + std::to_string(i));
  ASSERT_EQ(lines.warnings().size(), LogLines::kWarningsMax);
  EXPECT_EQ(lines.warnings().back().text, "warning: 39");
  EXPECT_EQ(level_of_line("collector x: not running: io"), LogLevel::warning);
  EXPECT_EQ(level_of_line("error: x"), LogLevel::error);
}

TEST(LogLines, LongLinesAreCut) {
  LogLines lines;
  lines.add({}, {}, std::string(10'000, 'x'));
  EXPECT_EQ(lines.take()->text.size(), LogLines::kLineBytesMax);
}

}  // namespace
}  // namespace picket::agent
