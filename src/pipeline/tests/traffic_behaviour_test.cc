// What connections, look-ups and files show over time; and who fell silent.
#include <random>

#include <gtest/gtest.h>

#include "behavior/beacon.h"
#include "behavior/domain_name.h"
#include "pipeline_harness.h"

namespace picket::pipeline {
namespace {

constexpr int kHourSeconds = 3600;

TestEvent connection(std::int64_t seconds, const std::string& address, std::int64_t sent,
                     const std::string& executable = "/usr/bin/app") {
  return {"ConnectionCreate",
          {{"RemoteAddress", address},
           {"RemotePort", "443"},
           {"Direction", "Out"},
           {"Protocol", "tcp"},
           {"ProcessId", "700"},
           {"Executable", executable},
           {"CommandLine", executable},
           {"BytesOut", std::to_string(sent)}},
          noon(seconds),
          ""};
}

void feed(EngineHarness& pipeline, const TestEvent& event) { pipeline.feed({event}, event.time); }

TEST(BeaconScore, AClockScoresHighAPersonLow) {
  BeaconSample clock;
  BeaconSample person;
  std::mt19937 random(5);
  for (std::size_t hour = 0; hour < 24; ++hour) {
    clock.hours[hour] = 12;
    person.hours[hour] = hour >= 9 && hour < 12 ? random() % 90 : 0;
  }
  for (int i = 0; i < 288; ++i) {
    ++clock.gaps_ms[300'000 + random() % 20'000];
    ++clock.sizes[420];
    ++person.gaps_ms[1'000 * (1U << (random() % 12))];
    ++person.sizes[random() % 100'000];
  }
  clock.connections = person.connections = 288;
  EXPECT_GT(score_beacon(clock).total(), 0.9);
  EXPECT_LT(score_beacon(person).total(), 0.5);
  EXPECT_EQ(score_beacon(person).duration, 0) << "three hours of the day";
}

TEST(BeaconScore, PartsAreThoseOfTheFormula) {
  EXPECT_DOUBLE_EQ(regularity({{10, 100}}, 1), 1.0) << "no skew, no deviation";
  // 0, 10, 20, 100: quartiles by rank are 0, 10 or 20, 100.
  const Histogram skewed{{1'000, 3}, {20'000, 3}, {100'000, 3}};
  // Q1 1000, median 20000, Q3 100000: skew (101000 - 40000) / 99000; deviation median 19000.
  EXPECT_NEAR(regularity(skewed, 1000), ((1 - 61.0 / 99.0) + (20.0 - 19.0) / 20.0) / 2, 1e-9);
  BeaconSample few{.gaps_ms = {{1000, 2}}, .sizes = {{1, 3}}, .connections = 3};
  EXPECT_EQ(score_beacon(few).total(), 0);
  few.connections = 4;
  few.gaps_ms = {{0, 100}, {1000, 2}};
  EXPECT_EQ(score_beacon(few).total(), 0) << "gaps of zero do not count";
}

TEST(Beacon, ADayOfCallsHome) {
  EngineHarness pipeline;
  for (int i = 0; i < 24 * 12; ++i) feed(pipeline, connection(i * 300 + i % 7, "203.0.113.7", 420));
  const auto alerts = pipeline.alerts("IoT_Beaconing");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].severity, "Medium");
  EXPECT_FALSE(property_of(alerts[0], "Timing").empty());
}

TEST(Beacon, JitteredCallsShowWithinMinutes) {
  EngineHarness pipeline;
  std::mt19937 random(9);
  std::int64_t at = 0;
  for (int i = 0; i < 40; ++i) {
    feed(pipeline, connection(at, "203.0.113.7", 420));
    at += 12 + static_cast<std::int64_t>(random() % 6);
  }
  const auto alerts = pipeline.alerts("IoT_Beaconing");
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].severity, "Low");
}

TEST(Beacon, PeopleAndLocalProgramsAreNone) {
  EngineHarness pipeline;
  std::mt19937 random(9);
  std::int64_t at = 0;
  for (int i = 0; i < 200; ++i) {
    feed(pipeline, connection(at, "203.0.113.7", static_cast<std::int64_t>(random() % 50'000)));
    feed(pipeline, connection(i * 60, "127.0.0.1", 100));
    at += 1 + static_cast<std::int64_t>(1U << (random() % 11));
  }
  EXPECT_TRUE(pipeline.alerts("IoT_Beaconing").empty());
}

TEST(DomainName, WhatWasRegistered) {
  EXPECT_EQ(registered_domain("a.b.example.com"), "example.com");
  EXPECT_EQ(registered_domain("a.b.example.co.uk"), "example.co.uk");
  EXPECT_EQ(registered_domain("example.co.uk"), "example.co.uk");
  EXPECT_EQ(registered_domain("co.uk"), "co.uk");
  EXPECT_EQ(registered_domain("x.example.com."), "example.com");
  EXPECT_EQ(registered_domain("localhost"), "localhost");
  EXPECT_EQ(registered_domain(""), "");
  EXPECT_EQ(registered_domain(".com"), ".com");
}

TEST(DomainName, WordsAreLikelierThanNoise) {
  for (const char* const word : {"wikipedia", "cloudflare", "raspberrypi", "homeassistant", "weather"}) {
    EXPECT_GT(pair_likelihood(word), -6) << word;
  }
  for (const char* const noise : {"xkqzvbnmtr", "qwjfkdlsoe", "hgkzmqpwxv", "bdfxkqwmzp"}) {
    EXPECT_LT(pair_likelihood(noise), -6) << noise;
  }
  EXPECT_EQ(pair_likelihood("abc"), 0);
}

TestEvent look_up(std::int64_t seconds, const std::string& name, const std::string& type = "A",
                  const std::string& code = "NOERROR") {
  return {"Dns", {{"QueryName", name}, {"QueryType", type}, {"ResponseCode", code}}, noon(seconds), ""};
}

TEST(DnsTunnel, ManyNamesThatCarryData) {
  EngineHarness pipeline;
  for (int i = 0; i < 150; ++i) {
    feed(pipeline, look_up(i * 2, std::to_string(i) + std::string(40, 'q') + ".t.example.com", "NULL"));
  }
  ASSERT_EQ(pipeline.alerts("IoT_DnsTunnel").size(), 1u);
  EXPECT_EQ(property_of(pipeline.alerts("IoT_DnsTunnel")[0], "Domain"), "example.com");
}

TEST(DnsTunnel, ContentNetworksAndFewNamesAreNone) {
  EngineHarness pipeline;
  for (int i = 0; i < 500; ++i) feed(pipeline, look_up(i, "e" + std::to_string(i) + ".cdn.example.net"));
  for (int i = 0; i < 500; ++i) feed(pipeline, look_up(i, std::string(45, 'a') + ".one.example.org", "TXT"));
  for (int i = 0; i < 500; ++i) feed(pipeline, look_up(i, std::to_string(i) + ".2.0.192.in-addr.arpa", "PTR"));
  EXPECT_TRUE(pipeline.alerts("IoT_DnsTunnel").empty());
}

TEST(DnsTunnel, SlowerThanTheWindowIsNone) {
  EngineHarness pipeline;
  for (int i = 0; i < 150; ++i) {
    feed(pipeline, look_up(i * 60, std::to_string(i) + std::string(40, 'q') + ".t.example.com", "TXT"));
  }
  EXPECT_TRUE(pipeline.alerts("IoT_DnsTunnel").empty()) << "60 an hour";
}

TEST(GeneratedNames, StrangeNamesThatDoNotExist) {
  EngineHarness pipeline;
  std::mt19937 random(4);
  const auto strange = [&] {
    static constexpr std::string_view kRare = "qxzjkvwbpfg";
    std::string name;
    for (int i = 0; i < 12; ++i) name += kRare[random() % kRare.size()];
    return name + ".com";
  };
  for (int i = 0; i < 9; ++i) feed(pipeline, look_up(i * 30, strange(), "A", "NXDOMAIN"));
  EXPECT_TRUE(pipeline.alerts("IoT_GeneratedNames").empty());
  feed(pipeline, look_up(400, strange(), "A", "NXDOMAIN"));
  EXPECT_EQ(pipeline.alerts("IoT_GeneratedNames").size(), 1u);
}

TEST(GeneratedNames, MistypedAndExistingNamesAreNone) {
  EngineHarness pipeline;
  const char* const words[] = {"wikipedai", "homeasistant", "exampel",  "printers", "gateway", "weatherr",
                               "firmwares", "controler",    "sensores", "machines", "servers", "network"};
  for (int i = 0; i < 12; ++i) feed(pipeline, look_up(i, std::string(words[i]) + ".org", "A", "NXDOMAIN"));
  for (int i = 0; i < 40; ++i) feed(pipeline, look_up(i, "xkqzvbnm" + std::to_string(i) + "qq.com"));
  EXPECT_TRUE(pipeline.alerts("IoT_GeneratedNames").empty());
}

TEST(TrafficVolume, HoursOfFarMoreThanUsual) {
  EngineHarness pipeline;
  int hour = 0;
  for (; hour < 30; ++hour)
    feed(pipeline, connection(hour * kHourSeconds, "203.0.113.7", 4'000'000 + hour % 5 * 300'000));
  for (int i = 0; i < 2; ++i, ++hour) feed(pipeline, connection(hour * kHourSeconds, "203.0.113.7", 900'000'000));
  EXPECT_TRUE(pipeline.alerts("IoT_UnusualUpload").empty()) << "two hours";
  feed(pipeline, connection(hour * kHourSeconds, "203.0.113.7", 900'000'000));
  EXPECT_EQ(pipeline.alerts("IoT_UnusualUpload").size(), 1u);
}

TEST(TrafficVolume, AFloodAndABusyService) {
  TestEvent flood = connection(0, "203.0.113.9", 0);
  flood.payload.emplace_back("HitCount", "6000");
  flood.payload.emplace_back("StartTimeUtc", format_rfc3339(noon(-60)));
  flood.payload.emplace_back("EndTimeUtc", format_rfc3339(noon(0)));
  EngineHarness pipeline;
  feed(pipeline, flood);
  EXPECT_EQ(pipeline.alerts("IoT_DenialOfService").size(), 1u);
  EngineHarness busy;
  flood.payload[flood.payload.size() - 3].second = "1200";
  feed(busy, flood);
  EXPECT_TRUE(busy.alerts("IoT_DenialOfService").empty()) << "20 a second";
}

TestEvent renamed(int seconds, const std::string& before, const std::string& after) {
  return {"FileSystem",
          {{"Path", after}, {"OldPath", before}, {"Mask", "Moved"}, {"Executable", "/usr/bin/python3"}},
          noon(seconds),
          ""};
}

TEST(FileEncryption, ManyFilesGetOneNewEnding) {
  EngineHarness pipeline;
  for (int i = 0; i < 20; ++i) {
    const std::string name = "/srv/data/f" + std::to_string(i) + ".csv";
    feed(pipeline, renamed(i, name, name + ".zzz9"));
  }
  ASSERT_EQ(pipeline.alerts("IoT_Ransomware").size(), 1u);
  EXPECT_EQ(property_of(pipeline.alerts("IoT_Ransomware")[0], "New Ending"), ".zzz9");
}

TEST(FileEncryption, RotationAndRenamingAreNone) {
  EngineHarness pipeline;
  for (int i = 0; i < 60; ++i) {
    const std::string name = "/var/log/f" + std::to_string(i);
    feed(pipeline, renamed(i / 4, name, name + ".gz"));
    feed(pipeline, renamed(i / 4, name + ".csv", "/srv/" + std::to_string(i) + ".csv"));
  }
  EXPECT_TRUE(pipeline.alerts("IoT_Ransomware").empty());
}

TEST(ShellConnection, ShellsHaveNoBusinessOnTheNetwork) {
  EngineHarness pipeline;
  feed(pipeline, connection(0, "203.0.113.9", 0, "/bin/bash"));
  EXPECT_EQ(pipeline.alerts("IoT_ReverseShell").size(), 1u);
  EngineHarness none;
  feed(none, connection(0, "127.0.0.1", 0, "/bin/bash"));
  TestEvent applet = connection(0, "203.0.113.9", 0, "/bin/busybox");
  applet.payload[6].second = "wget http://203.0.113.9/";
  feed(none, applet);
  feed(none, connection(0, "203.0.113.9", 0, "/usr/bin/curl"));
  EXPECT_TRUE(none.alerts("IoT_ReverseShell").empty());
}

TEST(ConfigurationError, BadSettingOfATwin) {
  EngineHarness pipeline;
  feed(pipeline, {"ConfigurationError",
                  {{"ConfigurationName", "Process_CacheSize"},
                   {"ErrorType", "TypeMismatch"},
                   {"UsedConfiguration", "256"},
                   {"Message", "not a number"}},
                  noon(0),
                  ""});
  EXPECT_EQ(pipeline.alerts("IoT_TwinConfigurationParseFailure").size(), 1u);
}

}  // namespace
}  // namespace picket::pipeline
