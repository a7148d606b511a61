#include "hub/query_service.h"

#include <gmock/gmock.h>

#include "automation_fixture.h"

namespace picket::hub {
namespace {

using testing::HasSubstr;

class QueryServiceTest : public AutomationFixture {};

TEST_F(QueryServiceTest, StreamsTwinsOfItsHubOnly) {
  add_many(700);
  add("foreign", "hub2");
  EXPECT_EQ(query("SELECT COUNT() AS n FROM devices"), R"([{"n":700}])");
  EXPECT_EQ(query("SELECT COUNT() AS n FROM devices.modules"), R"([{"n":700}])");
  EXPECT_EQ(query("SELECT * FROM devices WHERE deviceId = 'foreign'"), "[]");
  EXPECT_EQ(query("SELECT deviceId, moduleId FROM devices.modules WHERE deviceId = 'd1005'"),
            R"([{"deviceId":"d1005","moduleId":"DefenderIotMicroAgent"}])");
  std::size_t seen = 0;
  std::string continuation;
  do {
    const auto page = queries_->run("hub", "SELECT deviceId FROM devices.modules", continuation, 200);
    ASSERT_TRUE(page);
    seen += page->count;
    continuation = page->continuation;
  } while (!continuation.empty());
  EXPECT_EQ(seen, 700u);
}

TEST_F(QueryServiceTest, AnswersWholeTwinsInTheirShape) {
  const auto d = add("d");
  ASSERT_TRUE(patch(d, R"({"tags":{"a":1}})"));
  const JsonValue rows = json(query("SELECT * FROM devices WHERE tags.a = 1 AND status = 'enabled'"));
  ASSERT_EQ(rows.array()->size(), 1u);
  EXPECT_EQ(rows.array()->front(), twin(d));
}

TEST_F(QueryServiceTest, TakesHostileIdsAsLiterals) {
  for (const char* id : {"#", "%", "a'b", "$x", "*", "d_", "d%"}) add(id);
  EXPECT_EQ(query("SELECT deviceId FROM devices WHERE deviceId = 'a''b'"), R"([{"deviceId":"a'b"}])");
  EXPECT_EQ(query("SELECT deviceId FROM devices WHERE deviceId IN ['%', '*', 'd%']"),
            R"([{"deviceId":"%"},{"deviceId":"*"},{"deviceId":"d%"}])");
}

TEST_F(QueryServiceTest, AnswersOnItsThread) {
  add("d");
  const auto ask = [&](const std::string& body) {
    return wait<QueryPage>([&](Done<QueryPage> done) { queries_->query("hub", body, "", 10, std::move(done)); });
  };
  EXPECT_EQ(ask(R"({"query":"SELECT deviceId FROM devices"})")->items, R"([{"deviceId":"d"}])");
  EXPECT_EQ(ask(R"({"query":"SELECT"})").error().status(), 400);
  EXPECT_EQ(ask(R"({"q":1})").error().status(), 400);
  EXPECT_EQ(ask("[").error().status(), 400);
}

TEST_F(QueryServiceTest, WhatWaitsIsAnsweredWhenItCloses) {
  add("d");
  std::vector<std::future<HubResult<QueryPage>>> answers;
  for (int i = 0; i < 200; ++i) {
    auto promise = std::make_shared<std::promise<HubResult<QueryPage>>>();
    answers.push_back(promise->get_future());
    queries_->query("hub", R"({"query":"SELECT COUNT() FROM devices"})", "", 0,
                    [promise](HubResult<QueryPage> page) { promise->set_value(std::move(page)); });
  }
  queries_.reset();
  for (auto& answer : answers) {
    const auto page = answer.get();
    if (!page) EXPECT_TRUE(page.error().code == kThrottled || page.error().code == kUnavailable);
  }
}

}  // namespace
}  // namespace picket::hub
