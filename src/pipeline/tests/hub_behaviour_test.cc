// Beyond the published rules: certificates, sessions, traits and origins of devices.
#include <set>

#include <gtest/gtest.h>

#include "hub_words.h"
#include "prefix_table.h"
#include "state_fields.h"

namespace picket::pipeline {
namespace {

using States = std::map<std::string, std::string>;
Timestamp day(std::int64_t days) { return kNoon + Duration::days(days); }

std::string peer(const std::string& thumbprint, Timestamp not_before, Timestamp not_after,
                 const std::string& key = "rsa:2048", const std::string& signature = "sha256WithRSAEncryption",
                 const std::string& issuer = "ca1") {
  JsonWriter out;
  out.begin_object().key("thumbprint").value(thumbprint).key("issuer_thumbprint").value(issuer).key("key").value(key);
  out.key("signature").value(signature).key("not_before").value(not_before).key("not_after").value(not_after);
  return out.end_object().take();
}
TestRecord connect_x509(const std::string& certificate, Timestamp time = kNoon, const std::string& device = "a") {
  return connect(device, {{"tls.version", "TLSv1.3"}, {"tls.peer", certificate}}, time);
}

TEST(CertificateExpiring, IsActiveFromThirtyDaysBefore) {
  std::vector<TestRecord> records{connect_x509(peer("t1", kNoon, day(60))), tick(day(29))};
  EngineHarness pipeline;
  for (const auto& record : records) pipeline.feed(record);
  EXPECT_TRUE(states(pipeline, "IoT_CertificateExpiring").empty());
  records.push_back(tick(day(30)));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_CertificateExpiring"), (States{{"a", "Active"}}));
  records.push_back(connect_x509(peer("t2", day(31), day(365)), day(31)));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_CertificateExpiring"), (States{{"a", "Resolved"}}));
  expect_restart_safe(records);
}

TEST(CertificateOld, IsActiveAfterTwoYears) {
  EngineHarness pipeline;
  pipeline.feed(connect_x509(peer("t1", day(-729), day(4000))));
  EXPECT_TRUE(states(pipeline, "IoT_CertificateOld").empty());
  pipeline.feed(tick(day(1)));
  EXPECT_EQ(states(pipeline, "IoT_CertificateOld"), (States{{"a", "Active"}}));
}

TEST(CertificateWeakKey, NamesShortKeysAndBrokenHashes) {
  const std::pair<std::string, std::string> weak[] = {{"rsa:1024", "sha256WithRSAEncryption"},
                                                      {"dsa:2048", "dsa_with_SHA256"},
                                                      {"ec:secp192r1", "ecdsa-with-SHA256"},
                                                      {"rsa:2048", "sha1WithRSAEncryption"}};
  for (const auto& [key, signature] : weak) {
    EngineHarness pipeline;
    pipeline.feed(connect_x509(peer("t1", kNoon, day(100), key, signature)));
    EXPECT_EQ(states(pipeline, "IoT_CertificateWeakKey")["a"], "Active") << key << signature;
    pipeline.feed(connect_x509(peer("t2", kNoon, day(100)), noon(60)));
    EXPECT_EQ(states(pipeline, "IoT_CertificateWeakKey")["a"], "Resolved");
  }
  EngineHarness pipeline;
  for (const std::string key : {"rsa:2048", "rsa:4096", "ec:prime256v1", "ec:secp384r1", "ed25519", ""}) {
    pipeline.feed(connect_x509(peer("t1", kNoon, day(100), key, "ecdsa-with-SHA256")));
  }
  EXPECT_TRUE(states(pipeline, "IoT_CertificateWeakKey").empty());
}

TestRecord authority(const std::string& kind, const std::string& name, Timestamp not_after, Timestamp time = kNoon) {
  return audit("certificate." + kind,
               {{"object", name}, {"thumbprint", "ca-" + name}, {"not_after", format_rfc3339(not_after)}}, time);
}

TEST(CaExpiring, IsOneRecommendationForAllOfTheHub) {
  EngineHarness pipeline;
  pipeline.feed(authority("add", "root", day(100)));
  pipeline.feed(authority("add", "other", day(90)));
  EXPECT_TRUE(states(pipeline, "IoT_CaCertificateExpiring").empty());
  pipeline.feed(tick(day(41)));
  EXPECT_EQ(states(pipeline, "IoT_CaCertificateExpiring"), (States{{"", "Active"}}));
  EXPECT_NE(data_of(pipeline, "IoT_CaCertificateExpiring").find("root"), std::string::npos);
  EXPECT_NE(data_of(pipeline, "IoT_CaCertificateExpiring").find("other"), std::string::npos);
  pipeline.feed(authority("delete", "other", day(90), day(42)));
  EXPECT_EQ(states(pipeline, "IoT_CaCertificateExpiring")[""], "Active");
  pipeline.feed(authority("update", "root", day(1000), day(43)));
  EXPECT_EQ(states(pipeline, "IoT_CaCertificateExpiring")[""], "Resolved");
}

TEST(RevokedCertificate, InUseIsAnAlert) {
  EngineHarness pipeline;
  pipeline.feed(authority("add", "root", day(1000)));
  pipeline.feed(connect_x509(peer("t1", kNoon, day(100), "rsa:2048", "s", "ca-root"), noon(1)));
  EXPECT_TRUE(pipeline.alerts("IoT_RevokedCertificateActive").empty());
  pipeline.feed(authority("delete", "root", day(1000), noon(2)));
  pipeline.feed(connect_x509(peer("t1", kNoon, day(100), "rsa:2048", "s", "ca-root"), noon(3)));
  ASSERT_EQ(pipeline.alerts("IoT_RevokedCertificateActive").size(), 1u);
  EXPECT_EQ(property(pipeline.alerts("IoT_RevokedCertificateActive")[0], "Accepted"), "true");
  pipeline.feed(audit("certificate.revoke", {{"thumbprint", "t9"}}, noon(4)));
  pipeline.feed(connect_x509(peer("t9", kNoon, day(100)), noon(5), "b"));
  EXPECT_EQ(pipeline.alerts("IoT_RevokedCertificateActive").size(), 2u);
  pipeline.feed(authority("add", "root", day(1000), noon(6)));
  pipeline.feed(connect_x509(peer("t1", kNoon, day(100), "rsa:2048", "s", "ca-root"), noon(7), "c"));
  EXPECT_EQ(pipeline.alerts("IoT_RevokedCertificateActive").size(), 2u) << "it was added again";
}

TestRecord from(const std::string& address, Timestamp time, const std::string& device = "a") {
  return connect(device, {{"src_ip", address}}, time);
}
TestRecord evicted(Timestamp time, const std::string& device = "a") {
  return hub_event("evicted", {{"result.code", "400027"}, {"src_ip", "192.0.2.1"}}, time, device);
}

TEST(ConflictingClientIds, AreEvictionsAgainAndAgain) {
  std::vector<TestRecord> records{from("192.0.2.1", noon(0)), evicted(noon(10)), evicted(noon(200)), evicted(noon(700)),
                                  evicted(noon(900))};
  EngineHarness pipeline;
  for (const auto& record : records) pipeline.feed(record);
  EXPECT_TRUE(pipeline.alerts("IoT_ConflictingClientIds").empty());
  records.push_back(evicted(noon(1000)));
  pipeline.feed(records.back());
  ASSERT_EQ(pipeline.alerts("IoT_ConflictingClientIds").size(), 1u);
  EXPECT_EQ(pipeline.alerts("IoT_ConflictingClientIds")[0].count, 3u);
  expect_restart_safe(records);
}

TEST(ClonedIdentity, TakesOverBackAndForth) {
  EngineHarness pipeline;
  pipeline.feed(from("192.0.2.1", noon(0)));
  pipeline.feed(evicted(noon(60)));
  pipeline.feed(from("198.51.100.1", noon(60)));
  EXPECT_TRUE(pipeline.alerts("IoT_ClonedIdentity").empty()) << "a device may move once";
  pipeline.feed(evicted(noon(120)));
  pipeline.feed(from("192.0.2.1", noon(120)));
  ASSERT_EQ(pipeline.alerts("IoT_ClonedIdentity").size(), 1u);
  EXPECT_EQ(pipeline.alerts("IoT_ClonedIdentity")[0].severity, "High");
  EXPECT_EQ(property(pipeline.alerts("IoT_ClonedIdentity")[0], "Other Address"), "198.51.100.1");
}

TEST(ClonedIdentity, IsNotADeviceThatReconnectsOrRoams) {
  EngineHarness pipeline;
  for (int i = 0; i < 10; ++i) {
    pipeline.feed(evicted(noon(i * 100), "same"));
    pipeline.feed(from("192.0.2.1", noon(i * 100), "same"));
    pipeline.feed(hub_event("disconnect", {}, noon(i * 100), "roams"));
    pipeline.feed(from("192.0.2." + std::to_string(i), noon(i * 100 + 1), "roams"));
  }
  EXPECT_TRUE(pipeline.alerts("IoT_ClonedIdentity").empty());
}

TEST(ConnectionAttemptRate, CountsAllAttemptsOfKnownDevices) {
  EngineHarness pipeline;
  for (int i = 0; i < 30; ++i) pipeline.feed(from("192.0.2.1", noon(i * 9)));
  EXPECT_TRUE(pipeline.alerts("IoT_ConnectionAttemptRate").empty());
  pipeline.feed(auth_failed("token_resource", {}, noon(271), "a"));
  EXPECT_EQ(pipeline.alerts("IoT_ConnectionAttemptRate").size(), 1u);
  for (int i = 0; i < 40; ++i) pipeline.feed(auth_failed("token_resource", {}, noon(400 + i), "nobody"));
  EXPECT_EQ(pipeline.alerts("IoT_ConnectionAttemptRate").size(), 1u);
  EngineHarness slow;
  for (int i = 0; i < 100; ++i) slow.feed(from("192.0.2.1", noon(i * 30)));
  EXPECT_TRUE(slow.alerts("IoT_ConnectionAttemptRate").empty());
}

TEST(DisconnectDuration, IsUnusualForADeviceWithAHabit) {
  const auto gone = [](Timestamp time, const std::string& device = "a") {
    return hub_event("disconnect", {}, time, device);
  };
  std::vector<TestRecord> records{from("192.0.2.1", noon(0)),
                                  from("192.0.2.2", noon(0), "new"),
                                  gone(noon(60), "new"),
                                  gone(day(2)),
                                  from("192.0.2.1", day(2) + Duration::hours(1)),
                                  gone(day(3))};
  EngineHarness pipeline;
  for (const auto& record : records) pipeline.feed(record);
  for (int hours = 0; hours <= 4; ++hours) {
    records.push_back(tick(day(3) + Duration::hours(hours)));
    pipeline.feed(records.back());
  }
  EXPECT_TRUE(pipeline.alerts("IoT_DisconnectedUnusuallyLong").empty()) << "four times the longest is not over";
  records.push_back(tick(day(3) + Duration::minutes(241)));
  pipeline.feed(records.back());
  ASSERT_EQ(pipeline.alerts("IoT_DisconnectedUnusuallyLong").size(), 1u);
  EXPECT_EQ(pipeline.alerts("IoT_DisconnectedUnusuallyLong")[0].device.device_id, "a");
  records.push_back(tick(day(4)));
  pipeline.feed(records.back());
  EXPECT_EQ(pipeline.changes.size(), 1u) << "once for each time away";
  expect_restart_safe(records);
}

TEST(SdkDowngrade, ComparesVersionsOfTheSameSdk) {
  const auto with = [](const std::string& sdk, Timestamp time) { return connect("a", {{"sdk", sdk}}, time); };
  EngineHarness pipeline;
  int at = 0;
  for (const std::string sdk : {"azure-iot-device/1.9.0 (node v18)", "azure-iot-device/1.10.1 (node v18)", "other/0.1",
                                "py/2.0", "rubbish", "", "py/2.0"}) {
    pipeline.feed(with(sdk, noon(++at)));
  }
  EXPECT_TRUE(pipeline.alerts("IoT_SdkDowngrade").empty());
  pipeline.feed(with("py/1.99.3", noon(++at)));
  ASSERT_EQ(pipeline.alerts("IoT_SdkDowngrade").size(), 1u);
  EXPECT_EQ(property(pipeline.alerts("IoT_SdkDowngrade")[0], "Before"), "py/2.0");
}

TEST(ProtocolChanged, IsAfterADayOfHabit) {
  const auto over = [](const std::string& protocol, Timestamp time, const std::string& device) {
    return connect(device, {{"protocol", protocol}}, time);
  };
  EngineHarness pipeline;
  pipeline.feed(over("mqtt", noon(0), "a"));
  pipeline.feed(over("amqp", noon(60), "a"));
  pipeline.feed(over("mqtt", noon(0), "b"));
  EXPECT_TRUE(pipeline.alerts("IoT_ProtocolChanged").empty());
  pipeline.feed(over("https", day(1), "b"));
  EXPECT_EQ(pipeline.alerts("IoT_ProtocolChanged").size(), 1u);
}

TEST(MessageSize, IsUnusualWhenThePercentileLeapsBeyondItsBaseline) {
  const auto sizes = [](std::uint64_t p95, int window) {
    return counted("d2c", "d2c_message", 10, noon(window * 300), "a", {{"size_p95", std::to_string(p95)}});
  };
  EngineHarness pipeline;
  pipeline.feed(sizes(60'000, 0));
  EXPECT_TRUE(pipeline.alerts().empty()) << "nothing is usual yet";
  EngineHarness learnt;
  int window = 0;
  for (; window < 12; ++window) learnt.feed(sizes(200 + window, window));
  learnt.feed(sizes(800, window++));
  learnt.feed(sizes(1100, window++));
  EXPECT_TRUE(learnt.alerts().empty());
  learnt.feed(sizes(20'000, window++));
  ASSERT_EQ(learnt.alerts("IoT_MessageSizeUnusual").size(), 1u);
  for (int i = 0; i < 20; ++i) learnt.feed(sizes(20'000, window++));
  EXPECT_LE(learnt.alerts("IoT_MessageSizeUnusual")[0].count, 3u) << "it becomes usual";
}

TEST(ClockSkew, IsActiveBeyondFiveMinutesUntilTheClockIsRight) {
  const auto message = [](Duration skew, Timestamp time) {
    JsonWriter sent;
    sent.value(time + skew);
    TestRecord out{.body = message_json({process("/bin/ls", "ls")}, "\"SentUtc\":" + sent.text() + ","),
                   .enqueued = time};
    out.identity = {"hub", "a", "", "g1"};
    return out;
  };
  std::vector<TestRecord> records{message(Duration::minutes(5), noon(0)), message(Duration::minutes(-4), noon(1))};
  EngineHarness pipeline;
  for (const auto& record : records) pipeline.feed(record);
  EXPECT_TRUE(states(pipeline, "IoT_ClockSkew").empty());
  records.push_back(message(Duration::minutes(6), noon(2)));
  records.push_back(message(Duration::minutes(3), noon(3)));
  for (std::size_t i = 2; i < 4; ++i) pipeline.feed(records[i]);
  EXPECT_EQ(states(pipeline, "IoT_ClockSkew"), (States{{"a", "Active"}}));
  EXPECT_EQ(data_of(pipeline, "IoT_ClockSkew"), R"({"SkewSeconds":"360"})");
  records.push_back(message(Duration::seconds(10), noon(4)));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_ClockSkew"), (States{{"a", "Resolved"}}));
  records.push_back(hub_event("clock_skew", {{"skew_ms", "-400000"}}, noon(5), "b"));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_ClockSkew")["b"], "Active");
  expect_restart_safe(records);
}

TestRecord prefixes(const std::string& csv, Timestamp time = kNoon) {
  return {.body = csv,
          .enqueued = time,
          .identity = {"hub", "", "", ""},
          .properties = {{"name", "prefixes"}},
          .kind = journal::RecordKind::intelligence_change};
}

TEST(FirstSeen, CountryAndNetworkComeFromTheOperatorsTable) {
  std::vector<TestRecord> records{
      prefixes("192.0.2.0/24,DE,64500\n198.51.100.0/24,DE,AS64501\n203.0.113.0/24,BR,64502\n", noon(-10)),
      from("192.0.2.1", noon(0)), from("198.51.100.1", noon(60)), from("198.51.100.2", day(2))};
  EngineHarness pipeline;
  for (const auto& record : records) pipeline.feed(record);
  EXPECT_TRUE(pipeline.alerts().empty()) << "the first day is for learning";
  records.push_back(from("203.0.113.1", day(3)));
  pipeline.feed(records.back());
  ASSERT_EQ(pipeline.alerts("IoT_FirstSeenCountry").size(), 1u);
  EXPECT_EQ(property(pipeline.alerts()[0], "Country"), "BR");
  EXPECT_EQ(property(pipeline.alerts()[0], "Network"), "AS64502");
  records.push_back(from("203.0.113.2", day(4)));
  pipeline.feed(records.back());
  EXPECT_EQ(pipeline.changes.size(), 1u);
  expect_restart_safe(records);
}

TEST(FirstSeen, WithoutATableNetworksStandForPlaces) {
  EngineHarness pipeline;
  pipeline.feed(from("192.0.2.1", noon(0)));
  pipeline.feed(from("192.0.99.1", day(2)));
  pipeline.feed(from("2001:db8:1::1", noon(1), "six"));
  pipeline.feed(from("2001:db8:ffff::1", day(2), "six"));
  EXPECT_TRUE(pipeline.alerts().empty());
  pipeline.feed(from("198.51.100.1", day(3)));
  pipeline.feed(from("2001:db9::1", day(3), "six"));
  EXPECT_EQ(pipeline.alerts("IoT_FirstSeenNetwork").size(), 2u);
}

TEST(FirstSeen, NewTableIsLearntInSilence) {
  EngineHarness pipeline;
  pipeline.feed(from("192.0.2.1", noon(0)));
  pipeline.feed(prefixes("192.0.2.0/24,DE,64500\n", day(5)));
  pipeline.feed(from("192.0.2.1", day(6)));
  EXPECT_TRUE(pipeline.alerts().empty());
}

TEST(PrefixTable, LongestPrefixWinsAndBrokenLinesAreLeftOut) {
  const auto table = PrefixTable::parse(
      "# comment\n10.0.0.0/8,AA,1\n10.1.0.0/16,\"BB\",AS2\r\n10.1.2.0/24,CC,\nnonsense,DD,3\n2001:db8::/32,EE,4");
  EXPECT_EQ(table.size(), 4u);
  EXPECT_EQ(table.broken(), 1u);
  const auto find = [&](const std::string& address) {
    const Origin* found = table.find(*parse_net_prefix(address));
    return found == nullptr ? std::string("-") : found->country + "/" + found->network;
  };
  EXPECT_EQ(find("10.9.9.9"), "AA/AS1");
  EXPECT_EQ(find("10.1.9.9"), "BB/AS2");
  EXPECT_EQ(find("10.1.2.3"), "CC/");
  EXPECT_EQ(find("11.0.0.1"), "-");
  EXPECT_EQ(find("2001:db8::1"), "EE/AS4");
}

struct OneTime {
  Timestamp last;
  static auto fields(auto& self) { return std::tie(self.last); }
};
class Small final : public Remembering<OneTime> {
 public:
  Small() : Remembering("small", 32) {}
  void see(const HubRecord& record, HubFindings&) override {
    table_.touch(record.device.device_id).last = record.enqueued;
    keep_bound();
  }
  [[nodiscard]] bool knows(const std::string& device) const { return table_.find(device) != nullptr; }
};

/// A minute's count of messages that a device itself sent.
TestRecord telemetry(int minutes) { return counted("d2c", "d2c_message", 3, noon(minutes * 60)); }

TEST(DeviceSilent, IsNoTelemetryForThreeDays) {
  EngineHarness pipeline;
  pipeline.feed(telemetry(0));
  pipeline.feed(hub_event("connect", {}, noon(71 * 3600), "device-2"));
  EXPECT_TRUE(pipeline.alerts("IoT_DeviceSilent").empty());
  pipeline.restart();
  pipeline.feed(hub_event("connect", {}, noon(73 * 3600), "device-2"));
  ASSERT_EQ(pipeline.alerts("IoT_DeviceSilent").size(), 1u);
  EXPECT_EQ(pipeline.alerts("IoT_DeviceSilent")[0].device.device_id, "device-1");
  pipeline.feed(hub_event("connect", {}, noon(80 * 3600), "device-2"));
  EXPECT_EQ(pipeline.alerts("IoT_DeviceSilent").size(), 1u) << "told once";
}

TEST(AgentSilent, IsAnAgentThatStopsWhileItsDeviceTalks) {
  EngineHarness pipeline;
  const auto heartbeat = [&](int hours) {
    pipeline.feed({{"Heartbeat", {{"UptimeSeconds", "1"}}, noon(hours * 3600), ""}}, noon(hours * 3600));
  };
  for (int hour = 0; hour <= 30; ++hour) {
    heartbeat(hour);
    pipeline.feed(telemetry(hour * 60));
  }
  for (int hour = 31; hour <= 35; ++hour) pipeline.feed(telemetry(hour * 60));
  EXPECT_TRUE(pipeline.alerts("IoT_AgentSilent").empty()) << "below six hours";
  pipeline.feed(telemetry(37 * 60));
  pipeline.feed(telemetry(37 * 60 + 30));
  ASSERT_EQ(pipeline.alerts("IoT_AgentSilent").size(), 1u);
  EXPECT_EQ(pipeline.alerts("IoT_AgentSilent")[0].device.module_id, "DefenderIotMicroAgent");
}

TEST(AgentSilent, IsNotADeviceThatIsAway) {
  EngineHarness pipeline;
  for (int hour = 0; hour <= 30; ++hour) {
    pipeline.feed({{"Heartbeat", {{"UptimeSeconds", "1"}}, noon(hour * 3600), ""}}, noon(hour * 3600));
    pipeline.feed(telemetry(hour * 60));
  }
  for (int hour = 31; hour <= 60; ++hour) pipeline.feed(hub_event("connect", {}, noon(hour * 3600), "device-2"));
  EXPECT_TRUE(pipeline.alerts("IoT_AgentSilent").empty());
}

TEST(HubDetectors, ForgetTheOldestAtTheirBoundAndCountIt) {
  Small small;
  HubFindings findings;
  HubRecord record;
  for (int i = 0; i < 33; ++i) {
    record.device.device_id = std::to_string(i);
    record.enqueued = noon(i);
    small.see(record, findings);
  }
  EXPECT_EQ(small.evicted(), 3u) << "one too many, and a sixteenth so that it is not one each time";
  EXPECT_FALSE(small.knows("2"));
  EXPECT_TRUE(small.knows("3"));
  EXPECT_TRUE(small.knows("32"));
}

TEST(HubDetectors, HaveNamesAndPartsOfTheirOwn) {
  std::set<std::string_view> names;
  std::set<std::string_view> parts;
  for (const HubDetectorEntry& entry : all_hub_detectors()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    const auto detector = entry.make();
    if (StatePart* part = detector->state()) EXPECT_TRUE(parts.insert(part->part_name()).second) << entry.name;
  }
}

TEST(HubDetectors, BlobOfAnotherShapeIsRefused) {
  for (const HubDetectorEntry& entry : all_hub_detectors()) {
    const auto detector = entry.make();
    StatePart* part = detector->state();
    if (part == nullptr) continue;
    for (const std::string& blob : {std::string(), std::string("x"), std::string(64, '\xff')}) {
      EXPECT_FALSE(part->load("dkey", as_bytes(blob)).has_value()) << entry.name;
    }
  }
}

TEST(HubDetectors, DeviceThatIsDeletedIsForgotten) {
  EngineHarness pipeline;
  pipeline.feed(from("192.0.2.1", noon(0)));
  pipeline.feed(audit("device.delete", {}, day(2), "a"));
  pipeline.feed(from("198.51.100.1", day(3)));
  EXPECT_TRUE(pipeline.alerts().empty()) << "the new device has no past";
}

}  // namespace
}  // namespace picket::pipeline
