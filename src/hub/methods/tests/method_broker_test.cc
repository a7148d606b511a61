#include "hub/method_broker.h"

#include <deque>
#include <set>

#include <gmock/gmock.h>

namespace picket::hub {
namespace {

/// The directory's part, played by the test: links that are online, or an answer that is held back.
class MethodBrokerTest : public testing::Test {
 protected:
  struct Result {
    std::optional<HubResult<MethodReply>> value;
    [[nodiscard]] int code() const { return value && !*value ? value->error().code : 0; }
  };
  struct Offer {
    MethodCall call;
    std::move_only_function<void(bool)> taken;
  };

  void notify(const IdentityKey& key, Notification notification, std::move_only_function<void(bool)> taken) {
    auto call = std::get<MethodCall>(std::move(notification));
    if (hold) {
      held.push_back({std::move(call), std::move(taken)});
      return;
    }
    const bool takes = online.contains(key);
    if (takes) delivered.emplace_back(key, std::move(call));
    taken(takes);
  }
  std::shared_ptr<Result> invoke(const IdentityKey& target, MethodRequest request) {
    auto out = std::make_shared<Result>();
    broker->invoke(target, std::move(request), "policy/service", [out](HubResult<MethodReply> reply) {
      EXPECT_FALSE(out->value) << "answered twice";
      out->value = std::move(reply);
    });
    return out;
  }
  std::shared_ptr<Result> invoke(Duration connect = {}, Duration response = Duration::seconds(30)) {
    return invoke(dev1, {"reboot", R"({"a":1})", response, connect});
  }
  void advance(Duration by) {
    clock.advance(by);
    broker->run_due();
  }

  ManualClock clock{Timestamp{1'795'000'000'000'000}};
  const IdentityKey dev1{"hub1", "dev1", ""};
  const IdentityKey module1{"hub1", "dev1", "m"};
  std::set<IdentityKey> online;
  std::set<IdentityKey> unknown;
  bool hold = false;
  std::deque<Offer> held;
  std::vector<std::pair<IdentityKey, MethodCall>> delivered;
  std::vector<MethodOperation> operations;
  std::unique_ptr<MethodBroker> broker = make_methods(
      [this](const IdentityKey& key, Notification notification, std::move_only_function<void(bool)> taken) {
        notify(key, std::move(notification), std::move(taken));
      },
      clock,
      {.exists = [this](const IdentityKey& key) { return !unknown.contains(key); },
       .on_operation = [this](const MethodOperation& operation) { operations.push_back(operation); }});
};

constexpr Duration kInstant = Duration::microseconds(1);

TEST_F(MethodBrokerTest, BringsTheRequestAndTheReplyAsTheyAre) {
  online = {dev1};
  const auto result = invoke();
  ASSERT_EQ(delivered.size(), 1U);
  EXPECT_EQ(delivered[0].second.name, "reboot");
  EXPECT_EQ(delivered[0].second.payload, R"({"a":1})");
  EXPECT_FALSE(result->value);
  broker->respond(dev1, delivered[0].second.id, {-7, R"( "x" )"});
  ASSERT_TRUE(result->value && *result->value);
  EXPECT_EQ((**result->value).status, -7);
  EXPECT_EQ((**result->value).payload, R"( "x" )");
  EXPECT_EQ(broker->stats().answered, 1U);
  EXPECT_EQ(broker->stats().open, 0U);
}

TEST_F(MethodBrokerTest, AnOfflineDeviceFailsAtOnceWithoutConnectTimeout) {
  EXPECT_EQ(invoke()->code(), kNotOnline);
  unknown = {dev1};
  EXPECT_EQ(invoke()->code(), kDeviceNotFound);
  unknown = {module1};
  EXPECT_EQ(invoke(module1, {"m", "", Duration::seconds(5), {}})->code(), kModuleNotFound);
}

TEST_F(MethodBrokerTest, WaitsForTheDeviceAsLongAsItWasTold) {
  const auto result = invoke(Duration::seconds(10));
  advance(Duration::seconds(10) - kInstant);
  EXPECT_FALSE(result->value);
  advance(kInstant);
  EXPECT_EQ(result->code(), kNotOnline);
}

TEST_F(MethodBrokerTest, ADeviceThatComesInTimeIsCalledAndHasTheWholeResponseTime) {
  const auto result = invoke(Duration::seconds(10), Duration::seconds(5));
  advance(Duration::seconds(9));
  broker->available(module1);
  EXPECT_TRUE(delivered.empty()) << "another identity";
  online = {dev1};
  broker->available(dev1);
  ASSERT_EQ(delivered.size(), 1U);
  advance(Duration::seconds(5) - kInstant);
  EXPECT_FALSE(result->value);
  advance(kInstant);
  EXPECT_EQ(result->code(), kGatewayTimeout);
}

TEST_F(MethodBrokerTest, ADeviceThatComesWhileItIsLookedForIsNotMissed) {
  hold = true;
  const auto result = invoke(Duration::seconds(10));
  online = {dev1};
  broker->available(dev1);  // before the directory said that nobody was there
  hold = false;
  held.front().taken(false);
  EXPECT_EQ(delivered.size(), 1U);
  EXPECT_FALSE(result->value);
}

TEST_F(MethodBrokerTest, AReplyThatOvertakesTheDirectorysWordCounts) {
  hold = true;
  const auto result = invoke();
  broker->respond(dev1, held.front().call.id, {200, ""});
  ASSERT_TRUE(result->value && *result->value);
  held.front().taken(true);
  EXPECT_EQ(broker->stats().open, 0U);
}

TEST_F(MethodBrokerTest, ALateReplyIsIgnored) {
  online = {dev1};
  const auto result = invoke({}, Duration::seconds(5));
  advance(Duration::seconds(5));
  EXPECT_EQ(result->code(), kGatewayTimeout);
  broker->respond(dev1, delivered[0].second.id, {200, ""});
  EXPECT_EQ(result->code(), kGatewayTimeout);
  EXPECT_EQ(broker->stats().foreign_replies, 1U);
}

TEST_F(MethodBrokerTest, OnlyTheCalledIdentityIsHeard) {
  const char* const ids[] = {"dev1", "Dev1",  "dev1/", "dev1/m", "dev%31", "*",  "#",   "+",
                             "$$$",  "dev1 ", "",      "'",      "dev1?",  "..", "dev", "dev11"};
  for (const auto* called_id : ids) {
    const IdentityKey called{"hub1", called_id, ""};
    online = {called};
    delivered.clear();
    const auto result = invoke(called, {"m", "", Duration::seconds(30), {}});
    const auto id = delivered.at(0).second.id;
    for (const auto* other : ids) {
      for (const auto* hub : {"hub1", "hub2", ""}) {
        for (const auto* module : {"", "m", "dev1"}) {
          const IdentityKey from{hub, other, module};
          if (from == called) continue;
          broker->respond(from, id, {200, ""});
          ASSERT_FALSE(result->value) << "answered by " << hub << "|" << other << "|" << module;
        }
      }
    }
    broker->respond(called, id + 1, {200, ""});
    EXPECT_FALSE(result->value);
    broker->respond(called, id, {200, ""});
    EXPECT_TRUE(result->value && *result->value);
  }
}

TEST_F(MethodBrokerTest, ALostLinkEndsItsCallsAndNoOthers) {
  online = {dev1, module1};
  const auto of_device = invoke();
  const auto of_module = invoke(module1, {"m", "", Duration::seconds(30), {}});
  online = {};
  const auto waiting = invoke(Duration::seconds(10));
  broker->gone(dev1);
  EXPECT_EQ(of_device->code(), kNotOnline);
  EXPECT_FALSE(of_module->value);
  EXPECT_FALSE(waiting->value) << "still waits for the next connection";
}

TEST_F(MethodBrokerTest, ABadReplyIsTheDevicesFault) {
  online = {dev1};
  const std::string bad[] = {"{", "{} {}", "\xff", std::string("\"\0\"", 3),
                             std::string(kMethodPayloadBytesMax + 1, '1')};
  for (const auto& payload : bad) {
    delivered.clear();
    const auto result = invoke();
    broker->respond(dev1, delivered[0].second.id, {200, payload});
    EXPECT_EQ(result->code(), kBadDeviceResponse) << payload.substr(0, 10);
  }
  const auto longest = invoke();
  broker->respond(dev1, delivered.back().second.id, {200, "\"" + std::string(kMethodPayloadBytesMax - 2, 'x') + "\""});
  EXPECT_TRUE(longest->value && *longest->value);
}

TEST_F(MethodBrokerTest, RefusesWhatIsNoRequest) {
  const auto code = [&](MethodRequest request) { return invoke(dev1, std::move(request))->code(); };
  const auto response = Duration::seconds(30);
  for (const auto* name : {"", "a/b", "a b", "#", "+", "a?", "\x7f", "\n", "\xff"}) {
    EXPECT_EQ(code({name, "", response, {}}), kArgumentInvalid) << name;
  }
  EXPECT_EQ(code({std::string(100, 'n'), "", response, {}}), kNotOnline);
  EXPECT_EQ(code({std::string(101, 'n'), "", response, {}}), kArgumentInvalid);
  EXPECT_EQ(code({"m", "{", response, {}}), kArgumentInvalid);
  EXPECT_EQ(code({"m", std::string(kMethodPayloadBytesMax + 1, ' '), response, {}}), kTooLarge);
  EXPECT_EQ(code({"m", "", Duration::seconds(5) - kInstant, {}}), kArgumentInvalid);
  EXPECT_EQ(code({"m", "", Duration::seconds(300) + kInstant, {}}), kArgumentInvalid);
  EXPECT_EQ(code({"m", "", response, Duration::seconds(301)}), kArgumentInvalid);
  EXPECT_EQ(code({"m", "", response, Duration::seconds(-1)}), kArgumentInvalid);
  EXPECT_EQ(code({"m", "", Duration::seconds(5), {}}), kNotOnline);
}

TEST_F(MethodBrokerTest, BoundsTheCallsOfOneIdentityAndOfAll) {
  online = {dev1};
  for (std::size_t i = 0; i < kCallsPerDeviceMax; ++i) EXPECT_FALSE(invoke()->value);
  EXPECT_EQ(invoke()->code(), kThrottled);
  for (std::size_t i = kCallsPerDeviceMax; i < kCallsMax; ++i) {
    const IdentityKey other{"hub1", "d" + std::to_string(i), ""};
    EXPECT_FALSE(invoke(other, {"m", "", Duration::seconds(5), Duration::seconds(5)})->value);
  }
  EXPECT_EQ(invoke({"hub1", "more", ""}, {"m", "", Duration::seconds(5), {}})->code(), kThrottled);
  broker->respond(dev1, delivered[0].second.id, {200, ""});
  EXPECT_FALSE(invoke()->value);
}

TEST_F(MethodBrokerTest, StoppingAnswersEverybody) {
  online = {dev1};
  const auto open = invoke();
  hold = true;
  const auto offered = invoke();
  broker->stop();
  EXPECT_EQ(open->code(), kUnavailable);
  EXPECT_EQ(offered->code(), kUnavailable);
  EXPECT_EQ(invoke()->code(), kUnavailable);
  broker.reset();
  held.front().taken(true);  // the directory's late word finds nobody
}

TEST_F(MethodBrokerTest, EachEndIsReported) {
  online = {dev1};
  (void)invoke();
  clock.advance(Duration::milliseconds(20));
  broker->respond(dev1, delivered[0].second.id, {200, "null"});
  online = {};
  (void)invoke();
  ASSERT_EQ(operations.size(), 2U);
  EXPECT_EQ(operations[0].code, 0);
  EXPECT_EQ(operations[0].status, 200);
  EXPECT_EQ(operations[0].took, Duration::milliseconds(20));
  EXPECT_EQ(operations[0].response_bytes, 4U);
  EXPECT_EQ(operations[0].caller, "policy/service");
  EXPECT_EQ(operations[1].code, kNotOnline);
}

}  // namespace
}  // namespace picket::hub
