#include "hub/json_value.h"
#include "service_fixture.h"

namespace picket::hub {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

using HttpsService = ServiceTest;

JsonValue json_of(const Reply& reply) {
  const auto value = parse_json(reply.body);
  EXPECT_TRUE(value) << reply.status << " " << reply.body;
  return value ? *value : JsonValue();
}

TEST_F(HttpsService, MakesReadsChangesAndRemovesADevice) {
  start();
  const Reply made = call("PUT", "/devices/press-1?api-version=2021-04-12", owner(), R"({"deviceId":"press-1"})");
  EXPECT_EQ(made.status, 200);
  EXPECT_THAT(made.header("content-type"), StartsWith("application/json"));
  const JsonValue device = json_of(made);
  EXPECT_EQ(device.text_of("deviceId"), "press-1");
  EXPECT_FALSE(device.find("authentication")->find("symmetricKey")->text_of("primaryKey").empty());
  EXPECT_EQ(call("PUT", "/devices/press-1", owner(), R"({"deviceId":"press-1"})").status, 409)
      << "without If-Match: create";
  const Reply changed = call("PUT", "/devices/press-1", owner(), R"({"deviceId":"press-1","status":"disabled"})",
                             {{"If-Match", "\"*\""}});
  EXPECT_EQ(json_of(changed).text_of("status"), "disabled");
  const Reply stale = call("PUT", "/devices/press-1", owner(), R"({"deviceId":"press-1"})",
                           {{"If-Match", "\"" + std::string(device.text_of("etag")) + "\""}});
  EXPECT_EQ(stale.status, 412);
  EXPECT_EQ(json_of(call("GET", "/devices/press-1", owner())).text_of("status"), "disabled");
  EXPECT_EQ(json_of(call("GET", "/devices/?top=10", owner())).array()->size(), 2u);
  EXPECT_EQ(call("DELETE", "/devices/press-1", owner(), "", {{"If-Match", "*"}}).status, 204);
  const Reply gone = call("GET", "/devices/press-1", owner());
  EXPECT_EQ(gone.status, 404);
  EXPECT_THAT(gone.body, HasSubstr(R"("Message":"ErrorCode:DeviceNotFound;)"));
}

TEST_F(HttpsService, ModulesBelongToTheirDevice) {
  start();
  EXPECT_EQ(call("PUT", "/devices/dev1/modules/m", owner(), R"({"deviceId":"dev1","moduleId":"m"})").status, 201);
  EXPECT_EQ(json_of(call("GET", "/devices/dev1/modules/m", owner())).text_of("moduleId"), "m");
  EXPECT_EQ(json_of(call("GET", "/devices/dev1/modules", owner())).array()->size(), 2u) << "with the security module";
  EXPECT_EQ(call("DELETE", "/devices/dev1/modules/m", owner(), "", {{"If-Match", "\"*\""}}).status, 204);
  EXPECT_EQ(call("GET", "/devices/dev1/modules/m", owner()).status, 404);
}

TEST_F(HttpsService, BulkReportsEachItem) {
  start();
  const Reply reply =
      call("POST", "/devices", owner(), R"([{"id":"a","importMode":"create"},{"id":"dev1","importMode":"create"}])");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr(R"("isSuccessful":false)"));
  EXPECT_THAT(reply.body, HasSubstr("DeviceAlreadyExists"));
  EXPECT_THAT(call("POST", "/devices", owner(), R"([{"id":"b","importMode":"create"}])").body,
              HasSubstr(R"("isSuccessful":true)"));
  EXPECT_EQ(json_of(call("GET", "/statistics/devices", owner())).integer_of("totalDeviceCount"), 3);
  EXPECT_EQ(json_of(call("GET", "/statistics/service", owner())).integer_of("connectedDeviceCount"), 7);
}

TEST_F(HttpsService, EachRightOpensItsCallsOnly) {
  start();
  EXPECT_EQ(call("GET", "/devices/dev1", policy("reader")).status, 200);
  EXPECT_EQ(call("PUT", "/devices/x", policy("reader"), R"({"deviceId":"x"})").status, 401);
  EXPECT_EQ(call("GET", "/twins/dev1", policy("reader")).status, 401);
  EXPECT_EQ(call("GET", "/twins/dev1", policy("service")).status, 200);
  EXPECT_EQ(call("GET", "/devices/dev1", policy("service")).status, 401);
  EXPECT_EQ(call("GET", "/devices/dev1", policy("device")).status, 401);
  EXPECT_EQ(call("GET", "/devices/dev1", policy("nobody")).status, 401);
  EXPECT_EQ(call("GET", "/devices/dev1", policy("reader", "localhost", Duration::seconds(-1))).status, 401);
  EXPECT_EQ(call("GET", "/devices/dev1", policy("reader", "localhost/devices/dev1")).status, 200);
  EXPECT_EQ(call("GET", "/devices/dev1", policy("reader", "localhost/devices/dev")).status, 401)
      << "segment by segment";
  EXPECT_EQ(call("GET", "/devices/dev1", dev1()).status, 401) << "a device is no service";
  EXPECT_EQ(call("GET", "/devices/dev1").status, 401);
  EXPECT_EQ(log_.of(HubEventKind::auth_failed).back().protocol, "service");
}

TEST_F(HttpsService, APolicyThatConnectsDevicesSendsForThem) {
  start();
  EXPECT_EQ(call("POST", "/devices/dev1/messages/events", policy("device"), "x").status, 204);
  EXPECT_EQ(journal_.messages().at(0).property("iothub-connection-auth-method"),
            R"({"scope":"hub","type":"sas","issuer":"iothub"})");
  EXPECT_EQ(call("POST", "/devices/dev1/messages/events", policy("service"), "x").status, 401);
}

TEST_F(HttpsService, ReadsPatchesAndReplacesATwin) {
  start();
  const JsonValue twin = json_of(call("GET", "/twins/dev1", owner()));
  EXPECT_EQ(twin.text_of("deviceId"), "dev1");
  const Reply patched = call("PATCH", "/twins/dev1", owner(),
                             R"({"tags":{"site":"a"},"properties":{"desired":{"rate":5}}})", {{"If-Match", "\"*\""}});
  EXPECT_EQ(patched.status, 200);
  EXPECT_EQ(json_of(patched).find("tags")->text_of("site"), "a");
  EXPECT_EQ(call("PATCH", "/twins/dev1", owner(), R"({"tags":{}})",
                 {{"If-Match", "\"" + std::string(twin.text_of("etag")) + "\""}})
                .status,
            412);
  const JsonValue replaced = json_of(call("PUT", "/twins/dev1", owner(), R"({"tags":{"line":"b"}})"));
  EXPECT_EQ(replaced.find("tags")->text_of("line"), "b");
  EXPECT_EQ(replaced.find("tags")->find("site"), nullptr);
  EXPECT_EQ(call("PATCH", "/twins/dev1", owner(), "{").status, 400);
  EXPECT_EQ(call("GET", "/twins/nobody", owner()).status, 404);
}

TEST_F(HttpsService, CallsAMethod) {
  start();
  const Reply reply = call("POST", "/twins/dev1/methods", owner(),
                           R"({"methodName":"reboot","payload":{"n":1.50},"responseTimeoutInSeconds":30})");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"status":201,"payload":{"n":1.50}})") << "numbers as they were written";
  EXPECT_EQ(call("POST", "/twins/dev1/methods", owner(), R"({"payload":1})").status, 400);
  EXPECT_EQ(call("POST", "/twins/dev1/methods", owner(), R"({"methodName":"m","responseTimeoutInSeconds":"x"})").status,
            400);
  const Reply offline = call("POST", "/twins/dev2/methods", owner(), R"({"methodName":"m"})");
  EXPECT_EQ(offline.status, 404);
  EXPECT_THAT(offline.body, HasSubstr("ErrorCode:DeviceNotOnline;"));
}

TEST_F(HttpsService, CallsAboveTheRateAre429WithATime) {
  Limits limits;
  limits[Meter::registry] = {.per_second = 10, .burst = 10};
  limits[Meter::d2c_messages] = {.per_second = 10, .burst = 10};
  throttle_.set_hub("hub1", limits);
  start();
  EXPECT_EQ(call("GET", "/devices/dev1", owner()).status, 200);
  EXPECT_EQ(call("POST", "/devices/dev1/messages/events", dev1(), "x").status, 204);
  // Somebody else uses everything up for the next minutes.
  for (const Meter meter : {Meter::registry, Meter::d2c_messages})
    EXPECT_FALSE(throttle_.take_of_hub("hub1", meter, 1000, clock_.monotonic()).refused);
  const Reply refused = call("GET", "/devices/dev1", owner());
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("ErrorCode:ThrottlingException;"));
  EXPECT_NE(refused.header("retry-after"), "");
  EXPECT_NE(refused.header("retry-after"), "1");
  EXPECT_EQ(call("POST", "/devices/dev1/messages/events", dev1(), "x").status, 429);
  EXPECT_EQ(head_->stats().throttled, 2u);
  EXPECT_EQ(journal_.messages().size(), 1u);
  EXPECT_EQ(log_.of(HubEventKind::throttled).size(), 2u);
}

TEST_F(HttpsService, TheMessagesOfADayEnd) {
  throttle_.set_hub("hub1", {.messages_per_day = 1});
  start();
  EXPECT_EQ(call("POST", "/devices/dev1/messages/events", dev1(), "x").status, 204);
  const Reply refused = call("POST", "/devices/dev1/messages/events", dev1(), "x");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("ErrorCode:IotHubQuotaExceeded;"));
}

class HttpsRegistryJobs : public ServiceTest {
 protected:
  /// The job once it has ended.
  JsonValue ended(const Reply& created) {
    EXPECT_EQ(created.status, 200) << created.body;
    const std::string id(json_of(created).text_of("jobId"));
    JsonValue job;
    EXPECT_TRUE(eventually([&] {
      job = json_of(call("GET", "/jobs/" + id + "?api-version=2021-04-12", owner()));
      return !job.text_of("endTimeUtc").empty();
    }));
    return job;
  }
};

TEST_F(HttpsRegistryJobs, AnExportIsAFileThatAnImportReads) {
  start([this](HttpsHeadOptions& options) { options.registry_directory = state_.folder() + "/registry"; });
  EXPECT_EQ(call("PUT", "/uploads-hub1/devices.txt", owner(),
                 "{\"id\":\"a\",\"importMode\":\"create\"}\n{\"id\":\"b\",\"importMode\":\"create\"}\nnonsense\n")
                .status,
            201);
  const JsonValue imported =
      ended(call("POST", "/jobs/create", owner(),
                 R"({"type":"import","inputBlobContainerUri":"https://localhost/uploads-hub1?sv=1"})"));
  EXPECT_EQ(imported.text_of("status"), "completed") << imported.to_string();
  EXPECT_EQ(call("GET", "/devices/b", owner()).status, 200);
  EXPECT_NE(call("GET", "/uploads-hub1/importErrors.log", owner()).body, "");
  const JsonValue exported =
      ended(call("POST", "/jobs/create", owner(), R"({"type":"export","excludeKeysInExport":true})"));
  EXPECT_EQ(exported.text_of("status"), "completed") << exported.to_string();
  const Reply file = call("GET", "/uploads-hub1/devices.txt", owner());
  EXPECT_THAT(file.body, HasSubstr(R"("id":"a")"));
  EXPECT_THAT(file.body, HasSubstr(R"("id":"dev1")"));
  EXPECT_EQ(json_of(call("GET", "/jobs", owner())).array()->size(), 2u);
}

TEST_F(HttpsRegistryJobs, NoOtherStorageIsContactedAndNoOtherFileIsRead) {
  start([this](HttpsHeadOptions& options) { options.registry_directory = state_.folder() + "/registry"; });
  for (const auto* uri :
       {"https://storage.example/container", "http://localhost/uploads-hub1", "https://localhost/uploads-hub2",
        "https://localhost/uploads-hub1/../x", "file:///etc/passwd"}) {
    EXPECT_EQ(call("POST", "/jobs/create", owner(),
                   R"({"type":"import","inputBlobContainerUri":")" + std::string(uri) + R"("})")
                  .status,
              400)
        << uri;
  }
  EXPECT_EQ(call("POST", "/jobs/create", policy("reader"), R"({"type":"export"})").status, 401);
  EXPECT_EQ(call("GET", "/uploads-hub1/devices.txt", policy("reader")).status, 401) << "it may hold keys";
  EXPECT_EQ(call("GET", "/uploads-hub2/devices.txt", owner()).status, 404);
  EXPECT_EQ(call("GET", "/uploads-hub1/dev1/log.txt", owner()).status, 403) << "blobs of devices need their ticket";
  EXPECT_EQ(call("GET", "/jobs/none", owner()).status, 404);
}

class HttpsCommands : public ServiceTest {
 protected:
  void send(std::string_view id) {
    Command command;
    command.properties = {{"$.mid", std::string(id)}, {"$.to", "/devices/dev1/messages/devicebound"}, {"app", "v"}};
    append(command.body, as_bytes("do it"));
    command.feedback = FeedbackWish::full;
    const auto sent = answer([&](Done<> done) {
      commands_->send({"hub1", "dev1", ""}, std::move(command), {"policy/service", ""}, std::move(done));
    });
    ASSERT_TRUE(sent);
  }
  static std::string lock_of(const Reply& reply) {
    const std::string tag = reply.header("etag");
    return tag.size() > 2 ? tag.substr(1, tag.size() - 2) : "";
  }
  static constexpr std::string_view kInbox = "/devices/dev1/messages/devicebound";
};

TEST_F(HttpsCommands, AnEmptyQueueIs204) {
  start();
  EXPECT_EQ(call("GET", kInbox, dev1()).status, 204);
}

TEST_F(HttpsCommands, DeliversLocksAndCompletes) {
  start();
  send("m1");
  const Reply got = call("GET", kInbox, dev1());
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "do it");
  EXPECT_EQ(got.header("iothub-messageid"), "m1");
  EXPECT_EQ(got.header("iothub-app-app"), "v");
  EXPECT_EQ(call("GET", kInbox, dev1()).status, 204) << "it is locked";
  EXPECT_EQ(call("DELETE", std::string(kInbox) + "/wrong", dev1()).status, 412);
  EXPECT_EQ(call("DELETE", std::string(kInbox) + "/" + lock_of(got), dev1(), "", {{"If-Match", lock_of(got)}}).status,
            204);
  EXPECT_EQ(call("DELETE", std::string(kInbox) + "/" + lock_of(got), dev1()).status, 412) << "once only";
}

TEST_F(HttpsCommands, AnAbandonedOneComesAgainAndARejectedOneDoesNot) {
  start();
  send("m1");
  const std::string first = lock_of(call("GET", kInbox, dev1()));
  EXPECT_EQ(call("POST", std::string(kInbox) + "/" + first + "/abandon", dev1()).status, 204);
  const Reply again = call("GET", kInbox, dev1());
  EXPECT_EQ(again.header("iothub-messageid"), "m1");
  EXPECT_EQ(
      call("DELETE", std::string(kInbox) + "/" + lock_of(again) + "?api-version=2021-04-12&reject", dev1()).status,
      204);
  EXPECT_EQ(call("GET", kInbox, dev1()).status, 204);
  clock_.advance(Duration::seconds(20));
  const Reply feedback = call("GET", "/messages/serviceBound/feedback", owner());
  EXPECT_EQ(feedback.status, 200);
  EXPECT_THAT(feedback.body, HasSubstr("Rejected"));
  EXPECT_EQ(call("DELETE", "/messages/serviceBound/feedback/" + lock_of(feedback), owner()).status, 204);
  EXPECT_EQ(call("GET", "/messages/serviceBound/feedback", owner()).status, 204);
}

TEST_F(HttpsCommands, NobodyReadsOrSettlesForAnother) {
  start();
  send("m1");
  EXPECT_EQ(call("GET", kInbox, token("dev2", "", "key of dev2")).status, 401);
  const std::string lock = lock_of(call("GET", kInbox, dev1()));
  EXPECT_EQ(call("DELETE", "/devices/dev2/messages/devicebound/" + lock, token("dev2", "", "key of dev2")).status, 412);
}

TEST_F(HttpsCommands, APurgeSaysHowMany) {
  start();
  send("m1");
  send("m2");
  const Reply purged = call("DELETE", "/devices/dev1/commands", owner());
  EXPECT_EQ(purged.body, R"({"deviceId":"dev1","moduleId":null,"totalMessagesPurged":2})");
}

}  // namespace
}  // namespace picket::hub
