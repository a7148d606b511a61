// Records about the hub as lines of Azure's resource logs.
#include "pipeline/diagnostic_record.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace picket::pipeline {
namespace {

constexpr Timestamp kNow{1'795'000'000'000'000};

const DiagnosticWanted kAll = [](std::string_view hub, std::string_view) {
  return DiagnosticSource{"/subscriptions/1/iothubs/" + std::string(hub), "plant"};
};

struct Given {
  journal::RecordKind kind = journal::RecordKind::hub_event;
  std::string body;
  std::vector<journal::Property> properties{};
  Identity identity{"hub1", "dev1", "", "g"};

  [[nodiscard]] journal::RecordView view() const {
    journal::RecordView out;
    out.kind = kind;
    out.enqueued = kNow;
    out.identity = identity;
    out.properties = properties;
    out.body = as_bytes(body);
    out.id.sequence = 77;
    return out;
  }
};

boost::json::object line_of(const Given& given) {
  const auto line = diagnostic_line(given.view(), kAll);
  return line ? boost::json::parse(line->json).as_object() : boost::json::object{};
}
boost::json::object properties_of(const boost::json::object& line) {
  return boost::json::parse(line.at("properties").as_string()).as_object();
}

TEST(DiagnosticRecord, AConnectionReadsAsIotHubLogsIt) {
  const auto line = line_of({.body = R"({"v":2,"ts":"2026-11-22T01:02:03Z","kind":"connect","hub":"hub1",
    "identity":{"device":"dev1"},"src_ip":"203.0.113.7","protocol":"mqtt","transport":"tls","sdk":"node/1.18",
    "auth":{"type":"sas","scope":"device"}})"});
  ASSERT_FALSE(line.empty());
  EXPECT_EQ(line.at("operationName"), "deviceConnect");
  EXPECT_EQ(line.at("category"), "Connections");
  EXPECT_EQ(line.at("level"), "Information");
  EXPECT_EQ(line.at("resultType"), "0");
  EXPECT_EQ(line.at("resourceId"), "/subscriptions/1/iothubs/hub1");
  EXPECT_EQ(line.at("location"), "plant");
  EXPECT_EQ(line.at("recordId"), 77);
  const auto properties = properties_of(line);
  EXPECT_EQ(properties.at("deviceId"), "dev1");
  EXPECT_EQ(properties.at("protocol"), "Mqtt");
  EXPECT_EQ(properties.at("sdkVersion"), "node/1.18");
  EXPECT_EQ(properties.at("maskedIpAddress"), "203.0.113.XXX");
  EXPECT_EQ(properties.at("authType"), R"({"scope":"device","type":"sas","issuer":"iothub"})");
}

TEST(DiagnosticRecord, AFailureNamesItsCodeAndReason) {
  const auto line = line_of({.body = R"({"v":2,"kind":"auth_failed","hub":"hub1","claimed":{"device":"x"},
    "protocol":"amqp","result":{"code":401003,"reason":"token_expired"}})"});
  ASSERT_FALSE(line.empty());
  EXPECT_EQ(line.at("level"), "Warning");
  EXPECT_EQ(line.at("resultType"), "401003");
  EXPECT_EQ(line.at("resultSignature"), "401");
  EXPECT_EQ(line.at("resultDescription"), "IoTHubUnauthorized: token_expired");
}

TEST(DiagnosticRecord, AnAuditRecordNamesItsActorAndItsOutboxId) {
  const auto line = line_of({.kind = journal::RecordKind::audit,
                             .body = R"({"actor":"admin","source":"2001:db8:1:2::3","hub":"hub1","object":"dev9"})",
                             .properties = {{"kind", "device.create"}, {"outbox-id", "12"}}});
  ASSERT_FALSE(line.empty());
  EXPECT_EQ(line.at("category"), "DeviceIdentityOperations");
  EXPECT_EQ(line.at("operationName"), "create");
  EXPECT_EQ(line.at("correlationId"), "12");
  EXPECT_EQ(line.at("identity").at("claims").at("name"), "admin");
  EXPECT_EQ(properties_of(line).at("maskedIpAddress"), "2001:0db8:0001:XXXX");
}

TEST(DiagnosticRecord, TwinReadsOfDevicesAndOfServicesAreDifferentCategories) {
  const auto category = [](std::string protocol) {
    return line_of({.body = R"({"v":2,"kind":"twin","operation":"twin_read","hub":"hub1","protocol":")" + protocol +
                            R"(","identity":{"device":"d"}})"})
        .at("category");
  };
  EXPECT_EQ(category("mqtt"), "D2CTwinOperations");
  EXPECT_EQ(category("service"), "C2DTwinOperations");
}

TEST(DiagnosticRecord, OnlyFailuresOfTelemetryAreLogged) {
  const std::string count = R"("kind":"d2c","operation":"d2c_message","hub":"hub1","protocol":"mqtt",
    "window":{"from":"2026-11-22T01:00:00Z","to":"2026-11-22T01:05:00Z"},"count":9)";
  EXPECT_TRUE(line_of({.body = "{" + count + "}"}).empty());
  const auto failed = line_of({.body = "{" + count + R"(,"result":{"code":429001}})"});
  ASSERT_FALSE(failed.empty());
  EXPECT_EQ(failed.at("category"), "DeviceTelemetry");
  EXPECT_EQ(properties_of(failed).at("count"), 9);
}

TEST(DiagnosticRecord, WhatIsNotWantedOrNotAboutTheHubIsNoLine) {
  const Given connect{.body = R"({"v":2,"kind":"connect","hub":"hub1"})"};
  EXPECT_FALSE(diagnostic_line(connect.view(), [](auto, auto) { return std::nullopt; }));
  Given message = connect;
  message.kind = journal::RecordKind::message;
  EXPECT_FALSE(diagnostic_line(message.view(), kAll));
  EXPECT_FALSE(diagnostic_line(Given{.body = "no json"}.view(), kAll));
}

TEST(DiagnosticRecord, NoAddressLeavesWhole) {
  EXPECT_EQ(masked_address("192.0.2.255"), "192.0.2.XXX");
  EXPECT_EQ(masked_address("::ffff:192.0.2.255"), "192.0.2.XXX");
  EXPECT_EQ(masked_address("example"), "");
  EXPECT_EQ(masked_address(""), "");
}

}  // namespace
}  // namespace picket::pipeline
