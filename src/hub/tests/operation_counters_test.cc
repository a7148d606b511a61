#include "hub/operation_counters.h"

#include <vector>

#include <gtest/gtest.h>

namespace picket::hub {
namespace {

constexpr Timestamp kTime{1'790'000'100'000'000};  // 14:15:00, a whole 5 minutes
Timestamp at(std::int64_t seconds) { return kTime + Duration::seconds(seconds); }
const Identity kDevice{"hub1", "dev1", "", "g"};

class Recorder final : public OperationsLog {
 public:
  void record(const HubEvent& event) override { events.push_back(event); }
  std::vector<HubEvent> events;
};

class OperationCountersTest : public testing::Test {
 protected:
  OperationCountersTest() { counters_.tick(kTime); }
  Recorder log_;
  OperationCounters counters_{log_};
};

TEST_F(OperationCountersTest, WritesOneRecordAWindowForEachIdentityOperationAndProtocol) {
  for (int i = 0; i < 3; ++i) counters_.count(kDevice, Operation::d2c_message, Protocol::mqtt, 100);
  counters_.count(kDevice, Operation::d2c_message, Protocol::amqp, 50);
  counters_.tick(at(299));
  EXPECT_TRUE(log_.events.empty());
  counters_.tick(at(301));
  ASSERT_EQ(log_.events.size(), 2u);
  const auto& mqtt = log_.events[0].protocol == "mqtt" ? log_.events[0] : log_.events[1];
  EXPECT_EQ(mqtt.kind, HubEventKind::d2c);
  EXPECT_EQ(mqtt.identity, kDevice);
  EXPECT_TRUE(mqtt.authenticated);
  EXPECT_EQ(mqtt.count, 3u);
  EXPECT_EQ(mqtt.bytes, 300u);
  EXPECT_EQ(mqtt.size_max, 100u);
  EXPECT_EQ(mqtt.window_from, kTime);
  EXPECT_EQ(mqtt.window_to, at(300));
  log_.events.clear();
  counters_.tick(at(601));
  EXPECT_TRUE(log_.events.empty()) << "nothing happened in the second window";
}

TEST_F(OperationCountersTest, WritesMuchEarlyAndTheRestAtTheEnd) {
  counters_.count(kDevice, Operation::d2c_message, Protocol::mqtt, 0, OperationCounters::kEarlyCount);
  counters_.count({"hub1", "quiet", "", "g"}, Operation::d2c_message, Protocol::mqtt, 0,
                  OperationCounters::kEarlyCount - 1);
  counters_.tick(at(30));
  ASSERT_EQ(log_.events.size(), 1u);
  EXPECT_EQ(log_.events[0].count, OperationCounters::kEarlyCount);
  counters_.count(kDevice, Operation::d2c_message, Protocol::mqtt, 0, 5);
  counters_.tick(at(60));
  EXPECT_EQ(log_.events.size(), 1u) << "not worth another record yet";
  counters_.tick(at(300));
  std::uint64_t count = 0;
  for (const auto& event : log_.events) count += event.identity == kDevice ? event.count : 0;
  EXPECT_EQ(count, OperationCounters::kEarlyCount + 5);
}

TEST_F(OperationCountersTest, WritesRareOperationsWithTheNextEarlyRound) {
  counters_.count(kDevice, Operation::queue_purge, Protocol::service);
  counters_.tick(at(30));
  ASSERT_EQ(log_.events.size(), 1u);
  EXPECT_EQ(log_.events[0].operation, Operation::queue_purge);
}

TEST_F(OperationCountersTest, WritesFailuresOneByOneUpToTheirBoundAndCountsAll) {
  const FailedOperation failed{.identity = kDevice,
                               .operation = Operation::twin_update,
                               .protocol = Protocol::service,
                               .code = 401003,
                               .reason = "policy"};
  for (int i = 0; i < 25; ++i) counters_.fail(failed, at(1));
  EXPECT_EQ(log_.events.size(), OperationCounters::kSinglesMax);
  EXPECT_FALSE(log_.events[0].window_from);
  EXPECT_EQ(log_.events[0].code, 401003);
  counters_.flush(at(2));
  ASSERT_EQ(log_.events.size(), OperationCounters::kSinglesMax + 1);
  EXPECT_EQ(log_.events.back().count, 25u);
  EXPECT_EQ(log_.events.back().code, 401003);
}

TEST_F(OperationCountersTest, FleetIsWrittenInPortions) {
  const std::size_t devices = OperationCounters::kRecordsPerTick + 10;
  for (std::size_t i = 0; i < devices; ++i) {
    counters_.count({"hub1", std::to_string(i), "", ""}, Operation::d2c_message, Protocol::mqtt);
  }
  counters_.tick(at(300));
  EXPECT_EQ(log_.events.size(), OperationCounters::kRecordsPerTick);
  counters_.tick(at(301));
  EXPECT_EQ(log_.events.size(), devices);
  EXPECT_EQ(log_.events.back().window_to, at(300)) << "later portions belong to the same window";
}

TEST_F(OperationCountersTest, TooManyKeysAreCountedNotKept) {
  const std::size_t many = OperationCounters::kKeysMax * 5 / 4;
  for (std::size_t i = 0; i < many; ++i) {
    counters_.count({"hub1", std::to_string(i), "", ""}, Operation::d2c_message, Protocol::mqtt);
  }
  const auto stats = counters_.stats();
  EXPECT_LE(stats.keys, OperationCounters::kKeysMax);
  EXPECT_EQ(stats.keys + stats.dropped, many);
  EXPECT_EQ(stats.by_all(Operation::d2c_message).ok, many) << "the metrics still count all";
}

TEST_F(OperationCountersTest, TotalsTellProtocolsAndRefusalsByARateApart) {
  counters_.count(kDevice, Operation::twin_read, Protocol::amqp, 10);
  counters_.count(kDevice, Operation::twin_read, Protocol::service, 7);
  for (const int code : {429001, 403002, 400004}) {
    counters_.fail({.identity = kDevice, .operation = Operation::d2c_message, .protocol = Protocol::https, .code = code},
                   at(1));
  }
  const auto stats = counters_.stats();
  EXPECT_EQ(stats.by_devices(Operation::twin_read).ok, 1u);
  EXPECT_EQ(stats.by_devices(Operation::twin_read).bytes, 10u);
  EXPECT_EQ(stats.of(Operation::twin_read, Protocol::service).bytes, 7u);
  EXPECT_EQ(stats.by_all(Operation::twin_read).ok, 2u);
  EXPECT_EQ(stats.by_devices(Operation::d2c_message).failed, 3u);
  EXPECT_EQ(stats.by_devices(Operation::d2c_message).throttled, 2u);
}

TEST_F(OperationCountersTest, PercentileIsWithinAFactorOfTwo) {
  for (int i = 0; i < 99; ++i) counters_.count(kDevice, Operation::d2c_message, Protocol::mqtt, 200);
  counters_.count(kDevice, Operation::d2c_message, Protocol::mqtt, 100'000);
  counters_.flush(at(1));
  EXPECT_GE(log_.events[0].size_p95, 200u);
  EXPECT_LT(log_.events[0].size_p95, 400u);
  EXPECT_EQ(log_.events[0].size_max, 100'000u);
}

TEST_F(OperationCountersTest, FlushBehindAWindowEndsTheRecordWithIt) {
  counters_.count(kDevice, Operation::d2c_message, Protocol::mqtt);
  counters_.flush(at(1000));
  EXPECT_EQ(log_.events[0].window_from, kTime);
  EXPECT_EQ(log_.events[0].window_to, at(300));
}

}  // namespace
}  // namespace picket::hub
