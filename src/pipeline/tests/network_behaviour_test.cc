// What devices do on the network: scans and spreading; and who tries names on them.
#include <algorithm>
#include <map>
#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "behavior/distinct_window.h"
#include "pipeline_harness.h"

namespace picket::pipeline {
namespace {

TestEvent connection(Timestamp time, const std::string& address, int port, bool failed = true) {
  return {"ConnectionCreate",
          {{"RemoteAddress", address},
           {"RemotePort", std::to_string(port)},
           {"Direction", "Out"},
           {"Protocol", "tcp"},
           {"ProcessId", "700"},
           {"Executable", "/tmp/x"},
           {"Result", failed ? "Fail" : "Success"}},
          time,
          ""};
}

std::string host(int number) { return "198.51.100." + std::to_string(number); }

/// `count` hosts on one port, `gap` seconds apart.
std::vector<TestEvent> sweep(int count, int gap, int port, bool failed = true) {
  std::vector<TestEvent> out;
  for (int i = 0; i < count; ++i) out.push_back(connection(noon(i * gap), host(i + 1), port, failed));
  return out;
}

std::vector<AlertChange> alerts_after(const std::vector<TestEvent>& events, std::string_view type) {
  EngineHarness pipeline;
  for (const TestEvent& event : events) pipeline.feed({event}, event.time);
  return pipeline.alerts(type);
}

TEST(NetworkScan, ManyHostsOnOnePortInVain) {
  const auto alerts = alerts_after(sweep(26, 10, 502), "IoT_NetworkScan");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(property_of(alerts[0], "Hosts"), "26");
  EXPECT_GE(alerts[0].evidence_count, 25u);
}

TEST(NetworkScan, FewHostsSlowHostsAndAnswersAreNone) {
  EXPECT_TRUE(alerts_after(sweep(24, 10, 502), "IoT_NetworkScan").empty());
  const auto slow = alerts_after(sweep(40, 20, 502), "IoT_NetworkScan");
  ASSERT_EQ(slow.size(), 1u) << "15 in any 5 minutes: seen by the walk over a day";
  EXPECT_EQ(property_of(slow.front(), "Window"), "24 h");
  EXPECT_TRUE(alerts_after(sweep(60, 1, 443, false), "IoT_NetworkScan").empty());
}

TEST(NetworkScan, OneHostThatIsAwayIsNoScan) {
  std::vector<TestEvent> events;
  for (int i = 0; i < 400; ++i) events.push_back(connection(noon(i), "198.51.100.1", 123));
  EXPECT_TRUE(alerts_after(events, "IoT_NetworkScan").empty());
}

TEST(NetworkScan, ManyPortsOfOneHost) {
  std::vector<TestEvent> events;
  for (int port = 20; port < 35; ++port) events.push_back(connection(noon(port), "198.51.100.9", port));
  const auto alerts = alerts_after(events, "IoT_NetworkScan");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(property_of(alerts[0], "Ports"), "15");
  for (TestEvent& event : events) event.payload[0].second = "127.0.0.1";
  EXPECT_TRUE(alerts_after(events, "IoT_NetworkScan").empty()) << "to itself";
}

TEST(NetworkScan, PortsOfBotsNeedFewerHosts) {
  EXPECT_EQ(alerts_after(sweep(10, 5, 23), "IoT_NetworkSpreading").size(), 1u);
  EXPECT_TRUE(alerts_after(sweep(9, 5, 23), "IoT_NetworkSpreading").empty());
  EXPECT_TRUE(alerts_after(sweep(10, 5, 22), "IoT_NetworkSpreading").empty());
}

TEST(NetworkScan, DevicesAreCountedApart) {
  EngineHarness pipeline;
  for (int i = 0; i < 26; ++i) {
    TestRecord record{.body = message_json({connection(noon(i), host(i + 1), 502)}), .enqueued = noon(i)};
    record.identity.device_id = i % 2 == 0 ? "a" : "b";
    pipeline.feed(record);
  }
  EXPECT_TRUE(pipeline.alerts("IoT_NetworkScan").empty());
}

TEST(NetworkScan, OrderRepeatsAndRestartDoNotMatter) {
  auto events = sweep(30, 8, 502);
  for (std::size_t i = 0; i < events.size(); ++i) events[i].id = "scan-" + std::to_string(i);
  const std::size_t once = events.size();
  for (std::size_t i = 0; i < once; i += 3) events.push_back(events[i]);  // sent twice
  std::mt19937 random(11);
  for (int round = 0; round < 30; ++round) {
    std::ranges::shuffle(events, random);
    EngineHarness pipeline;
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (i == events.size() / 2) pipeline.restart();
      pipeline.feed({events[i]}, noon(300));
    }
    const auto alerts = pipeline.alerts("IoT_NetworkScan");
    ASSERT_EQ(alerts.size(), 1u) << round;
    EXPECT_EQ(alerts[0].count, 30u);
    EXPECT_EQ(property_of(alerts[0], "Hosts"), "30");
  }
}

TEST(PasswordSpray, FiveNamesFromOneAddress) {
  std::vector<TestEvent> events;
  for (int i = 0; i < 5; ++i) events.push_back(failed_login(noon(i * 100), "192.0.2.7", "user" + std::to_string(i)));
  const auto alerts = alerts_after(events, "IoT_PasswordSpray");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(property_of(alerts[0], "Users"), "5");
  events.pop_back();
  EXPECT_TRUE(alerts_after(events, "IoT_PasswordSpray").empty()) << "four names";
  std::vector<TestEvent> one_name;
  for (int i = 0; i < 30; ++i) one_name.push_back(failed_login(noon(i * 10)));
  EXPECT_TRUE(alerts_after(one_name, "IoT_PasswordSpray").empty()) << "one name is brute force";
}

TEST(PasswordSpray, OneAddressKnocksAtSeveralDevices) {
  std::vector<std::pair<std::string, int>> tries = {{"a", 10}, {"b", 20}, {"c", 30}, {"d", 40}, {"a", 50}, {"e", 5400}};
  std::optional<std::map<std::string, std::string>> first;
  std::mt19937 random(5);
  for (int round = 0; round < 30; ++round) {
    EngineHarness pipeline;
    for (const auto& [device, second] : tries) {
      TestRecord record{.body = message_json({failed_login(noon(second))}), .enqueued = noon(5400 + round)};
      record.identity.device_id = device;
      pipeline.feed(record);
    }
    std::map<std::string, std::string> told;
    for (const auto& alert : pipeline.alerts("IoT_PasswordSpray")) {
      EXPECT_EQ(property_of(alert, "Devices"), "3 or more");
      told[alert.device.device_id] = alert.alert_id + format_rfc3339(alert.start) + std::to_string(alert.count);
    }
    if (!first) first = told;
    EXPECT_EQ(told, *first) << "in another order";
    std::ranges::shuffle(tries, random);
  }
  ASSERT_EQ(first->size(), 4u);
  EXPECT_FALSE(first->contains("e")) << "hours later";
}

TEST(DistinctWindow, CountsAsASlowModelDoes) {
  const DistinctWindow::Bounds bounds{.window = Duration::seconds(320), .values_min = 4};
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    DistinctWindow window;
    std::vector<std::pair<std::int64_t, std::string>> all;
    std::size_t told = 0;
    for (int i = 0; i < 40; ++i) {
      const auto time = static_cast<std::int64_t>(random() % 1500);
      const std::string value = std::to_string(random() % 8);
      window.add(bounds, value, noon(time), noon(time), EvidenceRow{});
      all.emplace_back((kNoon.us / 1'000'000 + time) / 10, value);
      told += window.report(bounds).size();
    }
    std::ranges::sort(all);
    all.erase(std::ranges::unique(all).begin(), all.end());
    std::size_t expected = 0;
    for (const auto& point : all) {
      bool inside = false;
      for (const auto& [start, unused] : all) {
        std::vector<std::string> values;
        for (const auto& [bucket, value] : all) {
          if (bucket >= start && bucket <= start + DistinctWindow::kBuckets) values.push_back(value);
        }
        std::ranges::sort(values);
        values.erase(std::ranges::unique(values).begin(), values.end());
        inside = inside || (values.size() >= bounds.values_min && point.first >= start &&
                            point.first <= start + DistinctWindow::kBuckets);
      }
      expected += inside ? 1 : 0;
    }
    ASSERT_EQ(told, expected) << round;
  }
}

TEST(DistinctWindow, StaysWithinItsBounds) {
  const DistinctWindow::Bounds bounds{.window = Duration::minutes(5)};
  DistinctWindow window;
  std::size_t evicted = 0;
  for (int i = 0; i < 2000; ++i) {
    evicted += window.add(bounds, std::string(500, 'x') + std::to_string(i), noon(0), noon(86'400), EvidenceRow{});
    evicted += window.add(bounds, std::to_string(i), noon(86'400), noon(86'400), EvidenceRow{});
  }
  EXPECT_GT(evicted, 0u);
  EXPECT_LE(window.names(10'000).size(), DistinctWindow::kSightingsMax);
  Buffer blob;
  ByteWriter out(blob);
  window.encode(out);
  EXPECT_LT(blob.size(), DistinctWindow::kSightingsMax * 300);
}

}  // namespace
}  // namespace picket::pipeline
