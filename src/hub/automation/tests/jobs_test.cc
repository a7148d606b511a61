#include "hub/jobs.h"

#include <gmock/gmock.h>

#include "automation_fixture.h"

namespace picket::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class JobsTest : public AutomationFixture {
 protected:
  static std::string twin_job(const std::string& condition, const std::string& more = "") {
    return "{\"type\":\"scheduleUpdateTwin\",\"queryCondition\":\"" + condition +
           "\",\"updateTwin\":{\"etag\":\"*\",\"tags\":{\"done\":true},\"properties\":{\"desired\":{\"v\":2}}}" + more +
           "}";
  }
  static std::string method_job(const std::string& condition, const std::string& more = "") {
    return "{\"type\":\"scheduleDeviceMethod\",\"queryCondition\":\"" + condition +
           "\",\"cloudToDeviceMethod\":{\"methodName\":\"reboot\",\"payload\":{\"in\":5},\"responseTimeoutInSeconds\":"
           "15}" +
           more + "}";
  }
  std::string status(const std::string& id) { return std::string(job(id).text_of("status")); }
  std::string statistics(const std::string& id) { return job(id).find("deviceJobStatistics")->to_string(); }
  std::string cancel(const std::string& id) {
    const auto cancelled = wait<std::string>(
        [&](Done<std::string> done) { automation_->jobs().cancel("hub", id, kService, std::move(done)); });
    return cancelled ? std::string(json(*cancelled).text_of("status")) : std::to_string(cancelled.error().code);
  }
};

TEST_F(JobsTest, UpdatesTheTwinsThatTheConditionNames) {
  for (const char* id : {"a", "b", "c"}) add(id);
  ASSERT_TRUE(patch({"hub", "b", ""}, R"({"tags":{"skip":true}})"));
  const auto made = schedule("j", twin_job("NOT is_defined(tags.skip)"));
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(json(*made).text_of("status"), "scheduled");
  settle();
  EXPECT_EQ(desired({"hub", "a", ""}), R"({"v":2})");
  EXPECT_EQ(desired({"hub", "b", ""}), "{}");
  EXPECT_EQ(twin({"hub", "c", ""}).find("tags")->to_string(), R"({"done":true})");
  EXPECT_EQ(status("j"), "completed");
  EXPECT_EQ(statistics("j"),
            R"({"deviceCount":2,"failedCount":0,"pendingCount":0,"runningCount":0,"succeededCount":2})");
  EXPECT_EQ(job("j").text_of("type"), "scheduleUpdateTwin");
  EXPECT_FALSE(job("j").text_of("endTime").empty());
}

TEST_F(JobsTest, WaitsForItsTime) {
  add("a");
  ASSERT_TRUE(schedule("j", twin_job("*", ",\"startTime\":\"" + format_rfc3339(kStart + Duration::hours(1)) + "\"")));
  settle();
  EXPECT_EQ(status("j"), "scheduled");
  clock_.advance(Duration::hours(1));
  settle();
  EXPECT_EQ(status("j"), "completed");
}

TEST_F(JobsTest, CallsMethodsAndKeepsWhatEachDeviceAnswered) {
  for (const char* id : {"a", "b", "c"}) add(id);
  methods_.script = [](const IdentityKey& target, const JobMethod& method) -> HubResult<JobMethodAnswer> {
    EXPECT_EQ(method.name, "reboot");
    EXPECT_EQ(method.payload, R"({"in":5})");
    EXPECT_EQ(method.response_timeout.whole_seconds(), 15);
    if (target.device_id == "b") return hub_fail(kNotOnline, "not online");
    return JobMethodAnswer{200, "{\"from\":\"" + target.device_id + "\"}"};
  };
  ASSERT_TRUE(schedule("j", method_job("deviceId IN ['a', 'b']")));
  settle();
  settle();
  EXPECT_EQ(status("j"), "completed");
  EXPECT_EQ(statistics("j"),
            R"({"deviceCount":2,"failedCount":1,"pendingCount":0,"runningCount":0,"succeededCount":1})");
  const JsonValue rows = json(query("SELECT * FROM devices.jobs WHERE devices.jobs.jobId = 'j'"));
  ASSERT_EQ(rows.array()->size(), 2u);
  const JsonValue& a = (*rows.array())[0];
  EXPECT_EQ(a.text_of("deviceId"), "a");
  EXPECT_EQ(a.text_of("status"), "completed");
  EXPECT_EQ(a.find("outcome")->to_string(), R"({"deviceMethodResponse":{"payload":{"from":"a"},"status":200}})");
  EXPECT_EQ((*rows.array())[1].find("error")->to_string(), R"({"code":"404103","description":"not online"})");
  EXPECT_EQ(query("SELECT deviceId FROM devices.jobs WHERE status = 'failed'"), R"([{"deviceId":"b"}])");
}

TEST_F(JobsTest, HoldsABoundedNumberOfMethodsAtOnce) {
  add_many(150);
  methods_.hold = true;
  ASSERT_TRUE(schedule("j", method_job("*")));
  settle();
  EXPECT_EQ(methods_.calls.size(), kJobMethodsAtOnceMax);
  EXPECT_EQ(status("j"), "running");
  for (auto& call : methods_.calls) call.done(JobMethodAnswer{200, ""});
  methods_.hold = false;
  settle();
  settle();
  EXPECT_EQ(methods_.called.size(), 150u);
  EXPECT_EQ(status("j"), "completed");
}

TEST_F(JobsTest, AMethodUnderWayIsNotCalledAgainAfterARestart) {
  for (const char* id : {"a", "b"}) add(id);
  methods_.hold = true;
  ASSERT_TRUE(schedule("j", method_job("*")));
  settle();
  ASSERT_EQ(methods_.called.size(), 2u);
  restart();
  settle();
  EXPECT_EQ(methods_.called.size(), 2u);
  EXPECT_EQ(status("j"), "completed");
  EXPECT_EQ(statistics("j"),
            R"({"deviceCount":2,"failedCount":2,"pendingCount":0,"runningCount":0,"succeededCount":0})");
  for (auto& call : methods_.calls) call.done(JobMethodAnswer{200, ""});  // too late, and harmless
}

TEST_F(JobsTest, GoesOnWhereItWasAfterARestart) {
  add_many(700);
  ASSERT_TRUE(schedule("j", twin_job("*")));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(automation_->run_due(clock_.now()));
  EXPECT_EQ(status("j"), "running");
  restart();
  settle();
  EXPECT_EQ(status("j"), "completed");
  EXPECT_EQ(statistics("j"),
            R"({"deviceCount":700,"failedCount":0,"pendingCount":0,"runningCount":0,"succeededCount":700})");
  EXPECT_EQ(desired_version({"hub", "d1000", ""}), 2);
  EXPECT_EQ(desired_version({"hub", "d1699", ""}), 2);
}

TEST_F(JobsTest, EndsWhenItsTimeIsOver) {
  add("a");
  methods_.hold = true;
  ASSERT_TRUE(schedule("j", method_job("*", ",\"maxExecutionTimeInSeconds\":60")));
  settle();
  clock_.advance(Duration::seconds(61));
  settle();
  EXPECT_EQ(status("j"), "failed");
  EXPECT_THAT(std::string(job("j").text_of("failureReason")), HasSubstr("maxExecutionTimeInSeconds"));
  EXPECT_THAT(statistics("j"), HasSubstr("\"failedCount\":1"));
}

TEST_F(JobsTest, CancelsWhatHasNotBegun) {
  add_many(100);
  methods_.hold = true;
  ASSERT_TRUE(schedule("j", method_job("*")));
  settle();
  EXPECT_EQ(cancel("j"), "cancelled");
  for (auto& call : methods_.calls) call.done(JobMethodAnswer{200, ""});
  methods_.calls.clear();
  settle();
  EXPECT_EQ(methods_.called.size(), kJobMethodsAtOnceMax);
  EXPECT_EQ(status("j"), "cancelled");
  EXPECT_THAT(statistics("j"), HasSubstr("\"succeededCount\":64"));
  EXPECT_EQ(cancel("none"), std::to_string(kJobNotFound));
  ASSERT_TRUE(schedule("k", twin_job("*")));
  settle();
  EXPECT_EQ(cancel("k"), "completed");
}

TEST_F(JobsTest, OneDevicesFailureIsItsOwn) {
  const auto full = add("full");
  add("ok");
  std::string large = "{";
  for (int i = 0; i < 8; ++i)
    large += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":\"" + std::string(4080, 'x') + "\"";
  ASSERT_TRUE(patch(full, "{\"properties\":{\"desired\":" + large + "}}}"));
  ASSERT_TRUE(schedule(
      "j", R"({"type":"scheduleUpdateTwin","queryCondition":"*","updateTwin":{"properties":{"desired":{"t":")" +
               std::string(300, 'y') + "\"}}}}"));
  settle();
  EXPECT_EQ(statistics("j"),
            R"({"deviceCount":2,"failedCount":1,"pendingCount":0,"runningCount":0,"succeededCount":1})");
  EXPECT_THAT(query("SELECT error FROM devices.jobs WHERE deviceId = 'full'"), HasSubstr("413001"));
}

TEST_F(JobsTest, ReachesModules) {
  add("a");
  ASSERT_TRUE(schedule("j", twin_job("FROM devices.modules WHERE moduleId = 'DefenderIotMicroAgent'")));
  settle();
  EXPECT_EQ(desired({"hub", "a", "DefenderIotMicroAgent"}), R"({"v":2})");
  EXPECT_EQ(desired({"hub", "a", ""}), "{}");
  EXPECT_EQ(query("SELECT moduleId FROM devices.jobs"), R"([{"moduleId":"DefenderIotMicroAgent"}])");
}

TEST_F(JobsTest, ListsByTypeAndStatusInPages) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(schedule("t" + std::to_string(i), twin_job("*")));
    clock_.advance(Duration::seconds(1));
  }
  ASSERT_TRUE(schedule("m", method_job("*")));
  const auto list = [&](const std::string& type, const std::string& status, std::size_t count,
                        std::string& continuation) {
    const auto page = wait<JobPage>([&](Done<JobPage> done) {
      automation_->jobs().list("hub", type, status, continuation, count, std::move(done));
    });
    EXPECT_TRUE(page);
    continuation = page->continuation;
    std::vector<std::string> ids;
    const JsonValue items = json(page->items);
    for (const JsonValue& item : *items.array()) ids.emplace_back(item.text_of("jobId"));
    return ids;
  };
  std::string continuation;
  EXPECT_THAT(list("scheduleUpdateTwin", "", 3, continuation), ElementsAre("t4", "t3", "t2"));
  EXPECT_THAT(list("scheduleUpdateTwin", "", 3, continuation), ElementsAre("t1", "t0"));
  EXPECT_EQ(continuation, "");
  EXPECT_THAT(list("scheduleDeviceMethod", "scheduled", 0, continuation), ElementsAre("m"));
  EXPECT_THAT(list("", "completed", 0, continuation), ElementsAre());
}

TEST_F(JobsTest, RefusesWhatCannotRun) {
  const auto code = [&](const std::string& body) {
    const auto made = schedule("j", body);
    return made ? 0 : made.error().status();
  };
  EXPECT_EQ(code("{"), 400);
  EXPECT_EQ(code(R"({"type":"other"})"), 400);
  EXPECT_EQ(code(twin_job("")), 400);
  EXPECT_EQ(code(twin_job("tags.a =")), 400);
  EXPECT_EQ(code(R"({"type":"scheduleUpdateTwin","queryCondition":"*"})"), 400);
  EXPECT_EQ(code(R"({"type":"scheduleUpdateTwin","queryCondition":"*","updateTwin":{"tags":{"a.b":1}}})"), 400);
  EXPECT_EQ(code(R"({"type":"scheduleDeviceMethod","queryCondition":"*","cloudToDeviceMethod":{"methodName":""}})"),
            400);
  EXPECT_EQ(code(method_job("*", ",\"startTime\":\"yesterday\"")), 400);
  EXPECT_EQ(code(method_job("*", ",\"maxExecutionTimeInSeconds\":-1")), 400);
  EXPECT_EQ(code(twin_job("*")), 0);
  EXPECT_EQ(code(twin_job("*")), 409);
  for (std::size_t i = 1; i < kJobsOpenMax; ++i) ASSERT_TRUE(schedule("n" + std::to_string(i), twin_job("*")));
  EXPECT_EQ(schedule("more", twin_job("*")).error().code, kQuotaExceeded);
}

TEST_F(JobsTest, ForgetsJobsAMonthAfterTheirEnd) {
  add("a");
  ASSERT_TRUE(schedule("j", twin_job("*")));
  settle();
  clock_.advance(kJobsKept + Duration::hours(2));
  settle();
  EXPECT_EQ(query("SELECT * FROM devices.jobs"), "[]");
}

TEST_F(JobsTest, TheThreadDoesTheSame) {
  add("a");
  add("b");
  automation_->start();
  ASSERT_TRUE(schedule("t", twin_job("*")));
  ASSERT_TRUE(schedule("m", method_job("*")));
  while (status("t") != "completed" || status("m") != "completed") std::this_thread::yield();
  automation_->stop();
  EXPECT_EQ(desired({"hub", "a", ""}), R"({"v":2})");
}

}  // namespace
}  // namespace picket::hub
