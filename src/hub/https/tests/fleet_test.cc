#include "hub/automation.h"
#include "hub/json_value.h"
#include "hub/query_service.h"
#include "service_fixture.h"

namespace picket::hub {
namespace {

using ::testing::HasSubstr;

class NoMethods final : public MethodInvoker {
 public:
  void invoke(const IdentityKey&, JobMethod, std::string_view, Done<JobMethodAnswer> done) override {
    done(hub_fail(codes::kNotOnline, "Not online."));
  }
};

class HttpsFleet : public ServiceTest {
 protected:
  ~HttpsFleet() override {
    client_.reset();
    head_.reset();
  }
  void add(HttpsHeadNeeds& needs) override {
    ServiceTest::add(needs);
    needs.queries = &queries_;
    needs.jobs = &automation_.jobs();
    needs.configurations = &automation_.configurations();
  }
  JsonValue json(const Reply& reply) {
    const auto value = parse_json(reply.body);
    EXPECT_TRUE(value) << reply.status << " " << reply.body;
    return value ? *value : JsonValue();
  }

  NoMethods invoker_;
  QueryService queries_{*state_, twins_};
  Automation automation_{*state_, twins_, invoker_, clock_};
};

TEST_F(HttpsFleet, QueriesComeInPagesWithTheirType) {
  state_.add_device("dev2");
  state_.add_device("dev3");
  start();
  const std::string_view body = R"({"query":"SELECT * FROM devices"})";
  const Reply first =
      call("POST", "/devices/query?api-version=2021-04-12", owner(), body, {{"x-ms-max-item-count", "2"}});
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.header("x-ms-item-type"), "Twin");
  EXPECT_EQ(json(first).array()->size(), 2u);
  const Reply second = call("POST", "/devices/query", owner(), body,
                            {{"x-ms-max-item-count", "2"}, {"x-ms-continuation", first.header("x-ms-continuation")}});
  EXPECT_EQ(json(second).array()->size(), 1u);
  EXPECT_EQ(second.header("x-ms-continuation"), "");
  EXPECT_EQ(call("POST", "/devices/query", owner(), body, {{"x-ms-max-item-count", "many"}}).status, 400);
  EXPECT_EQ(call("POST", "/devices/query", owner(), R"({"query":"DELETE"})").status, 400);
  EXPECT_EQ(call("POST", "/devices/query", policy("reader"), body).status, 401);
}

TEST_F(HttpsFleet, AJobIsScheduledFoundAndCancelled) {
  start();
  const Reply made = call("PUT", "/jobs/v2/j1?api-version=2021-04-12", owner(),
                          R"({"jobId":"j1","type":"scheduleUpdateTwin","updateTwin":{"tags":{"a":1},"etag":"*"},)"
                          R"("queryCondition":"*","startTime":"2099-01-01T00:00:00Z","maxExecutionTimeInSeconds":60})");
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(json(call("GET", "/jobs/v2/j1", owner())).text_of("jobId"), "j1");
  const Reply list = call("GET", "/jobs/v2/query?jobType=scheduleUpdateTwin", owner());
  EXPECT_EQ(list.header("x-ms-item-type"), "JobResponse");
  EXPECT_EQ(json(list).array()->size(), 1u);
  EXPECT_EQ(json(call("POST", "/jobs/v2/j1/cancel", owner())).text_of("status"), "cancelled");
  const Reply unknown = call("GET", "/jobs/v2/none", owner());
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.body, HasSubstr("ErrorCode:JobNotFound;"));
}

TEST_F(HttpsFleet, AConfigurationIsPutListedAndRemoved) {
  start();
  const std::string body =
      R"({"id":"c1","schemaVersion":"1.0","content":{"deviceContent":{"properties.desired.rate":{"n":1}}},)"
      R"("targetCondition":"*","priority":1})";
  const Reply made = call("PUT", "/configurations/c1", owner(), body);
  EXPECT_EQ(made.status, 200) << made.body;
  const std::string etag(json(made).text_of("etag"));
  EXPECT_EQ(call("PUT", "/configurations/c1", owner(), body).status, 409);
  EXPECT_EQ(call("PUT", "/configurations/c1", owner(), body, {{"If-Match", "\"" + etag + "\""}}).status, 200);
  EXPECT_EQ(json(call("GET", "/configurations?top=5", owner())).array()->size(), 1u);
  EXPECT_EQ(json(call("GET", "/configurations/c1", owner())).text_of("id"), "c1");
  EXPECT_EQ(call("POST", "/configurations/testQueries", owner(),
                 R"({"targetCondition":"tags.a='x'","customMetricQueries":{}})")
                .status,
            200);
  EXPECT_EQ(call("DELETE", "/configurations/c1", owner(), "", {{"If-Match", "*"}}).status, 204);
  EXPECT_EQ(call("GET", "/configurations/c1", owner()).status, 404);
}

TEST_F(HttpsFleet, AContentIsAppliedToOneDevice) {
  start();
  const Reply applied = call("POST", "/devices/dev1/applyConfigurationContent", owner(),
                             R"({"deviceContent":{"properties.desired.rate":{"n":1}}})");
  EXPECT_EQ(applied.status, 204) << applied.body;
  EXPECT_THAT(call("GET", "/twins/dev1", owner()).body, HasSubstr(R"("rate":{"n":1})"));
}

}  // namespace
}  // namespace picket::hub
