// Decode, enrich, de-duplicate, dead-letter.
#include <gtest/gtest.h>

#include "base/core/encoding.h"
#include "event_time.h"
#include "pipeline/control_records.h"
#include "pipeline_harness.h"
#include "workspace/tables.h"

namespace picket::pipeline {
namespace {

TEST(Engine, RowHasTheStampedIdentityAndThePublishedColumns) {
  EngineHarness pipeline;
  pipeline.feed({.body = message_json({process("/bin/ls", "ls -l", {{"ProcessId", "7"}, {"DeviceId", "forged"}})}),
                 .identity = {"Factory", "device-9", "DefenderIotMicroAgent", "g"}});
  ASSERT_EQ(pipeline.rows.size(), 1u);
  auto cells = pipeline.rows[0].cells;
  EXPECT_EQ(pipeline.rows[0].table, "ProcessEvents");
  EXPECT_EQ(cells["DeviceId"], "device-9");
  EXPECT_EQ(cells["Hub"], "Factory");
  EXPECT_EQ(cells["AssociatedResourceId"],
            "/subscriptions/installation/resourcegroups/picket/providers/microsoft.devices/iothubs/factory");
  EXPECT_EQ(cells["AzureSubscriptionId"], "installation");
  EXPECT_EQ(cells["RawEventName"], "ProcessCreate");
  EXPECT_EQ(cells["RawEventCategory"], "Triggered");
  EXPECT_EQ(cells["CommandLine"], "ls -l");
  EXPECT_EQ(cells["ProcessId"], "7");
  EXPECT_NE(cells["EventDetails"].find(R"("CommandLine":"ls -l")"), std::string::npos);
}

TEST(Engine, ValueThatIsNotCanonicalStaysOutOfItsColumn) {
  EngineHarness pipeline;
  pipeline.feed({TestEvent{"ProcessCreate", {{"Executable", "/bin/x"}, {"ExitStatus", "1"}, {"UserName", "u"}}}});
  auto body = message_json({process("/bin/ls", "ls")});
  const auto at = body.find(R"("Executable")");
  body.insert(at, R"("ProcessId":"17",)");  // a number sent as text
  pipeline.feed({.body = body});
  ASSERT_EQ(pipeline.rows.size(), 2u);
  EXPECT_FALSE(pipeline.rows[1].cells.contains("ProcessId"));
  EXPECT_NE(pipeline.rows[1].cells["EventDetails"].find(R"("ProcessId":"17")"), std::string::npos);
}

TEST(Engine, UnknownEventIsKeptAsRawEvent) {
  EngineHarness pipeline;
  pipeline.feed({TestEvent{"SomethingNew", {{"Key", "value"}}}});
  ASSERT_EQ(pipeline.rows.size(), 1u);
  EXPECT_EQ(pipeline.rows[0].table, "DeviceEvents");
  EXPECT_EQ(pipeline.rows[0].cells["RawEventName"], "SomethingNew");
}

TEST(Engine, MessageThatCannotBeDecodedBecomesADeadLetter) {
  EngineHarness pipeline;
  const std::string broken = R"({"Events":[)" + std::string(300'000, ' ') + "oops";
  pipeline.feed({.body = broken, .properties = {{"$.ct", "application/json"}, {"$.mid", "m1"}}});
  ASSERT_EQ(pipeline.rows.size(), 1u);
  auto cells = pipeline.rows[0].cells;
  EXPECT_EQ(pipeline.rows[0].table, workspace::kDeadLetter);
  EXPECT_EQ(cells["DeviceId"], "device-1");
  EXPECT_EQ(cells["Reason"], "the body is not valid JSON");
  EXPECT_TRUE(cells["Where"].starts_with("message.json")) << cells["Where"];
  EXPECT_EQ(cells["Size"], std::to_string(broken.size()));
  EXPECT_EQ(cells["MessageId"], "m1");
  EXPECT_EQ(as_text(from_base64(cells["Bytes"]).value()), broken.substr(0, workspace::kDeadLetterBytesMax));
  EXPECT_EQ(pipeline.stats().dead_letters, 1u);
}

TEST(Engine, UnknownSchemaVersionBecomesADeadLetter) {
  EngineHarness pipeline;
  auto body = message_json({process("/bin/ls", "ls")});
  body.replace(body.find("\"3.0\""), 5, "\"9.0\"");
  pipeline.feed({.body = body});
  ASSERT_EQ(pipeline.rows.size(), 1u);
  EXPECT_EQ(pipeline.rows[0].table, workspace::kDeadLetter);
  EXPECT_EQ(pipeline.rows[0].cells["Where"], "message.schema_version");
}

TEST(Engine, GoodEventsOfAMixedMessageStand) {
  EngineHarness pipeline;
  auto body = message_json({process("/bin/a", "a"), process("/bin/b", "b"), process("/bin/c", "c")});
  const auto second = body.find(R"("Name":"ProcessCreate")", body.find("/bin/a"));
  body.replace(second, 22, R"("Name":"")");
  pipeline.feed({.body = body});
  ASSERT_EQ(pipeline.rows.size(), 3u);
  EXPECT_EQ(pipeline.rows[0].cells["CommandLine"], "a");
  EXPECT_EQ(pipeline.rows[1].cells["CommandLine"], "c");
  EXPECT_EQ(pipeline.rows[1].id, (workspace::RowId{1, 2, 0}));
  EXPECT_EQ(pipeline.rows[2].table, workspace::kDeadLetter);
  EXPECT_EQ(pipeline.rows[2].id, (workspace::RowId{1, 1, 0}));
}

TEST(Engine, TelemetryOfAnotherInterfaceIsNotASecurityMessage) {
  EngineHarness pipeline;
  pipeline.feed({.body = R"({"temperature":20})", .properties = {{"$.ifid", "urn:somebody:else:1"}}});
  EXPECT_TRUE(pipeline.rows.empty());
  EXPECT_EQ(pipeline.stats().messages_other, 1u);
  pipeline.feed({.body = R"({"temperature":20})", .properties = {{"$.ifid", ""}}});
  pipeline.feed({.body = R"({"temperature":20})", .properties = {{"$.ifid", "URN:azureiot:Security:SecurityAgent:1"}}});
  EXPECT_TRUE(pipeline.rows.empty()) << "no dead letters of what is not ours";
  EXPECT_EQ(pipeline.stats().messages_other, 3u);
  pipeline.feed({.body = R"({"temperature":20})", .properties = {{"$.ifid", std::string(kSecurityInterface)}}});
  EXPECT_EQ(pipeline.rows.size(), 1u);
}

TEST(EventTime, IsCorrectedByTheHubsClockAndClamped) {
  const Timestamp sent = noon(0) - Duration::hours(3);
  EXPECT_EQ(clock_correction(std::nullopt, noon(0)).us, 0);
  EXPECT_EQ(clock_correction(noon(-2), noon(0)).us, 0) << "time on the way";
  EXPECT_EQ(clock_correction(sent, noon(0)), Duration::hours(3));
  EXPECT_EQ(event_time(sent - Duration::seconds(5), Duration::hours(3), noon(0)), noon(-5));
  EXPECT_EQ(event_time(noon(0) - Duration::days(9), {}, noon(0)), noon(0) - Duration::days(8));
  EXPECT_EQ(event_time(noon(301), {}, noon(0)), noon(300));
  EXPECT_EQ(event_time(noon(300), {}, noon(0)), noon(300));
  EXPECT_EQ(event_time(Timestamp{INT64_MAX}, Duration::days(400'000), noon(0)), noon(300));
  EXPECT_EQ(event_time(Timestamp{INT64_MIN}, Duration::days(-400'000), noon(0)), noon(0) - Duration::days(8));
}

TEST(Engine, RawTimeStaysBesideTheCorrectedOne) {
  EngineHarness pipeline;
  const Timestamp wrong = kNoon - Duration::days(30);
  JsonWriter sent;
  sent.value(wrong);
  pipeline.feed({.body = message_json({process("/bin/ls", "ls", {}, wrong - Duration::seconds(4))},
                                      "\"SentUtc\":" + sent.text() + ","),
                 .enqueued = kNoon});
  ASSERT_EQ(pipeline.rows.size(), 1u);
  EXPECT_EQ(pipeline.rows[0].cells["TimeGenerated"], format_rfc3339(noon(-4)));
  EXPECT_EQ(pipeline.rows[0].cells["TimeStamp"], format_rfc3339(wrong - Duration::seconds(4)));
}

TEST(Duplicates, SameMessageIdWithinTenMinutesIsDropped) {
  EngineHarness pipeline;
  const auto body = message_json({process("/bin/ls", "ls")});
  const auto send = [&](std::int64_t at, const Identity& identity = {"hub", "device-1", "", "g1"}) {
    pipeline.feed({.body = body, .enqueued = noon(at), .identity = identity, .properties = {{"$.mid", "m"}}});
  };
  send(0);
  send(599);
  EXPECT_EQ(pipeline.rows.size(), 1u);
  EXPECT_EQ(pipeline.stats().duplicate_messages, 1u);
  send(600, {"hub", "device-2", "", "g1"});
  EXPECT_EQ(pipeline.rows.size(), 2u) << "another sender";
  send(600, {"hub", "device-1", "", "g2"});
  EXPECT_EQ(pipeline.rows.size(), 3u) << "made anew under the same name";
  send(660);
  EXPECT_EQ(pipeline.rows.size(), 4u) << "ten minutes are over";
}

TEST(Duplicates, WithoutMessageIdEventsAreToldApart) {
  EngineHarness pipeline;
  auto first = process("/bin/a", "a");
  first.id = "one";
  auto second = process("/bin/b", "b");
  second.id = "two";
  pipeline.feed({first});
  pipeline.feed({first, second});
  EXPECT_EQ(pipeline.rows.size(), 2u);
  EXPECT_EQ(pipeline.stats().duplicate_events, 1u);
  EXPECT_EQ(pipeline.rows[1].id, (workspace::RowId{2, 1, 0}));
  pipeline.feed({second, second});
  EXPECT_EQ(pipeline.rows.size(), 2u);
}

TEST(Duplicates, EventsOfOneMessageMayShareAnId) {
  EngineHarness pipeline;
  auto event = process("/bin/a", "a");
  event.id = "same";
  pipeline.feed({event, event});
  EXPECT_EQ(pipeline.rows.size(), 2u);
}

TEST(Duplicates, OurAgentsAreToldApartBySequence) {
  EngineHarness pipeline;
  const auto send = [&](std::uint64_t sequence, const std::string& epoch = "e1") {
    pipeline.feed({.body = message_json({process("/bin/ls", "ls")}, "\"StreamEpoch\":\"" + epoch + "\",\"Sequence\":" +
                                                                        std::to_string(sequence) + ",")});
    return pipeline.rows.size();
  };
  EXPECT_EQ(send(1), 1u);
  EXPECT_EQ(send(3), 2u);
  EXPECT_EQ(send(1), 2u);
  EXPECT_EQ(send(3), 2u);
  EXPECT_EQ(send(2), 3u) << "late, not double";
  EXPECT_EQ(send(2), 3u);
  EXPECT_EQ(send(1, "e2"), 4u) << "a new stream begins";
  EXPECT_EQ(send(4), 5u) << "the old one goes on";
}

TEST(Engine, GroupAndProfileComeFromRecords) {
  EngineHarness pipeline;
  pipeline.feed({process("/usr/bin/xmrig", "xmrig -o pool:1")});
  EXPECT_EQ(pipeline.alerts().at(0).group, "default");
  pipeline.feed({.body = group_change_body("plant-2"), .kind = journal::RecordKind::group_change});
  pipeline.feed({.body = rules_change_body(Profile::parity), .kind = journal::RecordKind::rules_change});
  pipeline.feed({.body = "rubbish", .kind = journal::RecordKind::rules_change});
  pipeline.feed({process("/usr/bin/xmrig", "xmrig -o pool:2")});
  EXPECT_EQ(pipeline.changes.back().group, "plant-2");
  EXPECT_EQ(pipeline.stats().control_records_bad, 1u);
}

TEST(Engine, SelfTestRaisesAnInformationalAlert) {
  EngineHarness pipeline;
  pipeline.feed({TestEvent{"SelfTest", {{"TestId", "t-1"}, {"Message", "hello"}}}});
  ASSERT_EQ(pipeline.alerts().size(), 1u);
  EXPECT_EQ(pipeline.alerts()[0].alert_type, "IoT_SelfTest");
  EXPECT_EQ(pipeline.alerts()[0].severity, "Informational");
}

}  // namespace
}  // namespace picket::pipeline
