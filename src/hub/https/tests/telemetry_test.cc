#include "hub/telemetry.h"

#include "batch_json.h"
#include "https_fixture.h"
#include "message_headers.h"

namespace picket::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::string_view kEvents = "/devices/dev1/messages/events?api-version=2021-04-12";

using HttpsTelemetry = HttpsTest;

TEST_F(HttpsTelemetry, StoresWhatMqttWouldStore) {
  start();
  const Reply reply = call("POST", kEvents, dev1(), R"({"a":1})",
                           {{"iothub-to", "/devices/dev1/messages/events"},
                            {"IoTHub-MessageId", "m1"},
                            {"IoTHub-CorrelationId", "c1"},
                            {"IoTHub-UserId", "u1"},
                            {"iothub-contenttype", "application/json"},
                            {"iothub-contentencoding", "utf-8"},
                            {"iothub-interface-id", "urn:azureiot:Security:SecurityAgent:1"},
                            {"iothub-app-alert", "hi"},
                            {"User-Agent", "sdk/1"}});
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.header("date"), "Mon, 21 Sep 2026 14:13:20 GMT");
  const auto messages = journal_.messages();
  ASSERT_THAT(messages, SizeIs(1));
  const Identity sender{"hub1", "dev1", "", "g1"};
  EXPECT_EQ(messages[0].identity, sender);
  EXPECT_EQ(messages[0].partition, partition_of(sender));
  EXPECT_EQ(messages[0].body, R"({"a":1})");
  using Pairs = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(messages[0].properties,
            (Pairs{{"iothub-connection-auth-method", R"({"scope":"device","type":"sas","issuer":"iothub"})"},
                   {"$.mid", "m1"},
                   {"$.cid", "c1"},
                   {"$.uid", "u1"},
                   {"$.ct", "application/json"},
                   {"$.ce", "utf-8"},
                   {"$.ifid", "urn:azureiot:Security:SecurityAgent:1"},
                   {"alert", "hi"}}));
}

TEST_F(HttpsTelemetry, AModuleSendsAsItself) {
  start();
  EXPECT_EQ(call("POST", "/devices/dev1/modules/mod1/messages/events", token("dev1", "mod1", "module key"), "x").status,
            204);
  ASSERT_THAT(journal_.messages(), SizeIs(1));
  EXPECT_EQ(journal_.messages()[0].identity.module_id, "mod1");
  EXPECT_EQ(call("POST", "/devices/dev1/modules/mod1/messages/events", dev1(), "x").status, 401) << "a device's token";
}

TEST_F(HttpsTelemetry, AnswersOnlyWhenTheMessageIsDurable) {
  start();
  journal_.hold(true);
  const auto client = net::TestClient::connect(head_->port());
  ASSERT_TRUE(client->send(as_bytes(request_text("POST", kEvents, {{"Authorization", dev1()}}, "x"))));
  ASSERT_TRUE(eventually([&] { return journal_.held() == 1; }));
  EXPECT_EQ(head_->stats().messages_stored, 0u);
  EXPECT_EQ(head_->stats().responses_2xx, 0u);
  journal_.release_one();
  EXPECT_EQ(read_reply(*client).status, 204);
}

TEST_F(HttpsTelemetry, AMessageThatIsGivenUpIs503) {
  start();
  journal_.hold(true);
  const auto client = net::TestClient::connect(head_->port());
  ASSERT_TRUE(client->send(as_bytes(request_text("POST", kEvents, {{"Authorization", dev1()}}, "x"))));
  ASSERT_TRUE(eventually([&] { return journal_.held() == 1; }));
  journal_.release_one(false);
  const Reply reply = read_reply(*client);
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.header("retry-after"), "1");
}

TEST_F(HttpsTelemetry, AFullJournalIs503AndNothingIsLost) {
  start([](HttpsHeadOptions& options) { options.storage_patience = Duration::milliseconds(50); });
  journal_.refuse(Errc::limit_exceeded);
  EXPECT_EQ(call("POST", kEvents, dev1(), "x").status, 503);
  journal_.refuse(std::nullopt);
  journal_.reach_reserve(true);
  EXPECT_EQ(call("POST", kEvents, dev1(), "x").status, 503);
  journal_.reach_reserve(false);
  EXPECT_EQ(call("POST", kEvents, dev1(), "x").status, 204);
  EXPECT_EQ(head_->stats().messages_stored, 1u);
}

TEST_F(HttpsTelemetry, HoldsTheSizeOfAMessage) {
  start();
  const std::string largest(kMessageBytesMax - 5, 'x');
  EXPECT_EQ(call("POST", kEvents, dev1(), largest, {{"iothub-app-p", "val"}, {"iothub-messageid", "i"}}).status, 204);
  EXPECT_EQ(call("POST", kEvents, dev1(), largest, {{"iothub-app-p", "valu"}, {"iothub-messageid", "i"}}).status, 413);
  EXPECT_EQ(call("POST", kEvents, dev1(), std::string(600'000, 'x')).status, 413) << "not even read";
}

TEST_F(HttpsTelemetry, TakesABatch) {
  start();
  const Reply reply =
      call("POST", kEvents, dev1(),
           R"([{"body":"b25l","properties":{"iothub-app-p":"v","iothub-messageid":"m"}},{"body":"dHdv"}])",
           {{"Content-Type", "application/vnd.microsoft.iothub.json"}});
  EXPECT_EQ(reply.status, 204);
  const auto messages = journal_.messages();
  ASSERT_THAT(messages, SizeIs(2));
  EXPECT_EQ(messages[0].body, "one");
  EXPECT_EQ(messages[0].property("p"), "v");
  EXPECT_EQ(messages[0].property("$.mid"), "m");
  EXPECT_EQ(messages[1].body, "two");
  EXPECT_EQ(call("POST", kEvents, dev1(), "[{]", {{"Content-Type", "application/vnd.microsoft.iothub.json"}}).status,
            400);
}

TEST_F(HttpsTelemetry, AnImitatedStampIsDropped) {
  start();
  EXPECT_EQ(call("POST", kEvents, dev1(), "x", {{"iothub-app-iothub-connection-device-id", "dev2"}}).status, 204);
  ASSERT_THAT(journal_.messages(), SizeIs(1));
  EXPECT_EQ(journal_.messages()[0].property("iothub-connection-device-id"), "(none)");
  EXPECT_EQ(head_->stats().reserved_properties, 1u);
}

TEST_F(HttpsTelemetry, NobodySendsAsAnother) {
  start();
  const std::string own = dev1();
  for (const auto* path :
       {"/devices/dev2/messages/events", "/devices/dev1%2Fmodules%2Fmod1/messages/events",
        "/devices/dev1/modules/mod1/messages/events", "/devices/%64ev2/messages/events",
        "/devices/dev1%00/messages/events", "/devices/dev1%252f/messages/events", "/devices/./dev1/messages/events",
        "/devices/dev2/../dev1/messages/events", "/devices//messages/events", "/devices/DEV1/messages/events"}) {
    const Reply reply = call("POST", path, own, "x");
    EXPECT_TRUE(reply.status == 401 || reply.status == 404 || reply.status == 400) << path << " " << reply.status;
  }
  EXPECT_THAT(journal_.messages(), IsEmpty());
  EXPECT_EQ(call("POST", "/devices/%64ev1/messages/events", own, "x").status, 204) << "decoded once, it is dev1";
}

TEST_F(HttpsTelemetry, CredentialsAreCheckedBeforeTheBodyIsRead) {
  start();
  const auto client = net::TestClient::connect(head_->port());
  ASSERT_TRUE(
      client->send(as_bytes("POST /devices/dev1/messages/events HTTP/1.1\r\nHost: localhost\r\n"
                            "Content-Length: 200000\r\n\r\n")));
  const Reply reply = read_reply(*client);
  EXPECT_EQ(reply.status, 401);
  EXPECT_THAT(reply.body, HasSubstr(R"({"Message":"ErrorCode:IotHubUnauthorizedAccess;)"));
  EXPECT_EQ(reply.header("iothub-errorcode"), "IotHubUnauthorizedAccess");
}

TEST_F(HttpsTelemetry, FailedChecksAreLogged) {
  start();
  EXPECT_EQ(call("POST", kEvents, token("dev1", "", "wrong key"), "x").status, 401);
  EXPECT_EQ(call("POST", kEvents, token("dev1", "", "key of dev1", Duration::seconds(-1)), "x").status, 401);
  EXPECT_EQ(call("POST", kEvents, token("dev2", "", "key of dev2"), "x").status, 401);
  EXPECT_EQ(call("POST", "/devices/nobody/messages/events", token("nobody", "", "k"), "x").status, 404);
  EXPECT_THAT(log_.lines(), ElementsAre("auth_failed:token_signature", "auth_failed:token_expired",
                                        "auth_failed:token_resource", "auth_failed:unknown_identity"));
  const auto events = log_.of(HubEventKind::auth_failed);
  EXPECT_EQ(events[0].protocol, "https");
  EXPECT_EQ(events[0].identity.device_id, "dev1");
  EXPECT_EQ(events[0].source_address, "127.0.0.1");
  EXPECT_EQ(call("POST", kEvents, token("dev1", "", "secondary"), "x").status, 204);
}

TEST_F(HttpsTelemetry, OtherAddressesAndMethodsSaySo) {
  start();
  EXPECT_EQ(call("POST", "/nothing", dev1(), "x").status, 404);
  const Reply reply = call("GET", kEvents, dev1());
  EXPECT_EQ(reply.status, 405);
}

TEST(MessageHeaders, LatinTextBecomesUtf8) {
  const Headers headers = {{"iothub-app-name", "caf\xe9"}, {"iothub-app-other", "caf\xc3\xa9"}};
  const auto bag = properties_of(headers, "").value();
  EXPECT_EQ(bag.find("name"), "caf\xc3\xa9");
  EXPECT_EQ(bag.find("other"), "caf\xc3\xa9");
}

TEST(MessageHeaders, NoApplicationPropertyForgesASystemProperty) {
  for (const Headers& headers : {Headers{{"iothub-app-$.ifid", "urn"}}, Headers{{"iothub-app-", "v"}},
                                 Headers{{"iothub-messageid", "a"}, {"IoTHub-MessageId", "b"}}}) {
    EXPECT_FALSE(properties_of(headers, "")) << headers[0].first;
  }
}

TEST(MessageHeaders, APropertyOfACommandCannotBecomeAnotherHeader) {
  const std::vector<std::pair<std::string, std::string>> properties = {
      {"$.mid", "m"}, {"a b:c", "v"}, {"$.unknown", "x"}, {"plain", "v"}};
  EXPECT_EQ(headers_of(properties),
            (Headers{{"iothub-messageid", "m"}, {"iothub-app-a%20b%3Ac", "v"}, {"iothub-app-plain", "v"}}));
}

TEST(BatchJson, HoldsItsForm) {
  EXPECT_EQ(parse_batch(R"([{"body":"text","base64Encoded":false}])").value()[0].body, bytes_of("text"));
  EXPECT_TRUE(parse_batch("[]"));
  for (const auto* text : {"", "{}", "[1]", R"([{"body":1}])", R"([{"properties":{}}])", R"([{"body":"%%%"}])",
                           R"([{"body":"","properties":[]}])", R"([{"body":"","properties":{"iothub-app-a":{}}}])",
                           R"([{"body":"","properties":{"iothub-app-a":"\n"}}])", R"([[[[[[]]]]]])"}) {
    EXPECT_FALSE(parse_batch(text)) << text;
  }
  std::string many = "[";
  for (std::size_t i = 0; i < kBatchMessagesMax; ++i) many += R"({"body":""},)";
  EXPECT_EQ(parse_batch(many + R"({"body":""}])").error().code, Errc::limit_exceeded);
  many.back() = ']';
  EXPECT_TRUE(parse_batch(many));
}

}  // namespace
}  // namespace picket::hub
