// What the direct method refuses, and that what it takes is done once.
#include "../responder.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/core/encoding.h"
#include "base/core/json_writer.h"
#include "base/core/signing.h"
#include "tests/live.h"

namespace picket::agent {
namespace {

using ::testing::HasSubstr;

constexpr Timestamp kNow{1'800'000'000'000'000};

class Bench : public ::testing::Test {
 protected:
  Bench() {
    std::string pattern = ::testing::TempDir() + "picket-responder-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    settings_.key_file = directory_ + "/response.pem";
    std::ofstream(settings_.key_file) << public_key_of(key_).value();
    ::chmod(settings_.key_file.c_str(), 0644);
    start();
  }
  ~Bench() override {
    responder_.reset();
    std::filesystem::remove_all(directory_);
  }
  void start() {
    responder_.reset();
    responder_ = std::make_unique<Responder>(ResponderParts{.loop = loop_,
                                                            .sink = sink_,
                                                            .settings = settings_,
                                                            .data_dir = directory_,
                                                            .identity = [] { return std::string("press/agent"); },
                                                            .hub = [] { return Endpoint{}; },
                                                            .scan =
                                                                [this](std::string_view name) {
                                                                  scanned_.emplace_back(name);
                                                                  return name == "baseline";
                                                                },
                                                            .log = [](std::string_view) {}});
  }

  struct Words {
    std::string id = "11111111-2222-4333-8444-555555555555";
    std::string hub = "picket", device = "press", module = "agent", generation = "g1";
    Timestamp issued = kNow, expires = kNow + Duration::minutes(5);
    std::string action = "scan", arguments = R"({"collector":"baseline"})";
  };
  static std::string command(const Words& words) {
    JsonWriter json;
    json.begin_object().key("id").value(words.id).key("hub").value(words.hub).key("device").value(words.device);
    json.key("module").value(words.module).key("generation").value(words.generation);
    json.key("issued").value(words.issued).key("expires").value(words.expires);
    json.key("action").value(words.action).key("arguments").raw(words.arguments);
    return json.end_object().take();
  }
  static std::string signed_by(std::initializer_list<std::string> keys, const std::string& text) {
    JsonWriter json;
    json.begin_object().key("command").value(to_base64(as_bytes(text))).key("signatures").begin_array();
    for (const std::string& key : keys) json.value(to_base64(sign(key, as_bytes(text)).value()));
    return json.end_array().end_object().take();
  }
  MethodAnswer call(const std::string& payload) { return responder_->on_method({kResponseMethod, payload}); }
  MethodAnswer order(const Words& words) { return call(signed_by({key_}, command(words))); }
  std::string last_event() const { return sink_.events.empty() ? "" : sink_.events.back().items; }

  const std::string key_ = make_signing_key().value(), other_key_ = make_signing_key().value();
  std::string directory_;
  ManualClock clock_{kNow};
  EventLoop loop_ = EventLoop::create(clock_).value();
  Recorder sink_;
  ResponseSettings settings_ = [] {
    ResponseSettings out;
    out.scan = true;
    return out;
  }();
  std::vector<std::string> scanned_;
  std::unique_ptr<Responder> responder_;
};
using ResponderTest = Bench;

TEST_F(ResponderTest, DoesWhatIsSignedAndAllowedAndSaysSo) {
  const MethodAnswer answer = order({});
  EXPECT_EQ(answer.status, 200) << answer.payload;
  EXPECT_EQ(scanned_, std::vector<std::string>{"baseline"});
  ASSERT_EQ(sink_.events.size(), 1u);
  EXPECT_EQ(sink_.events[0].record.priority, Priority::urgent);
  EXPECT_EQ(sink_.events[0].record.event.name, "Response");
  EXPECT_THAT(last_event(), HasSubstr(R"("CommandId":"11111111-2222-4333-8444-555555555555")"));
  EXPECT_THAT(last_event(), HasSubstr(R"("Result":"Done")"));
}

TEST_F(ResponderTest, RefusesTheSameCommandAgainAlsoAfterARestart) {
  const std::string payload = signed_by({key_}, command({}));
  EXPECT_EQ(call(payload).status, 200);
  EXPECT_EQ(call(payload).status, 409);
  start();
  EXPECT_EQ(call(payload).status, 409);
  EXPECT_EQ(scanned_.size(), 1u);
  EXPECT_THAT(last_event(), HasSubstr(R"("Result":"Refused")"));
}

TEST_F(ResponderTest, RefusesEverythingAfterItsMemoryWasDamaged) {
  std::ofstream(directory_ + "/response/taken") << "no json";
  start();
  EXPECT_EQ(order({.issued = kNow - Duration::seconds(1)}).status, 409);
  clock_.advance(Duration::seconds(2));
  EXPECT_EQ(order({.id = "later", .issued = kNow + Duration::seconds(1)}).status, 200);
}

TEST_F(ResponderTest, RefusesWhatAnotherKeyHasSigned) {
  EXPECT_EQ(call(signed_by({other_key_}, command({}))).status, 401);
  EXPECT_TRUE(scanned_.empty());
}

TEST_F(ResponderTest, RefusesAChangedCommand) {
  std::string text = command({});
  const std::string good = signed_by({key_}, text);
  text.replace(text.find("baseline"), 8, "listener");
  const std::string changed = to_base64(as_bytes(text));
  std::string payload = good;
  const auto begin = payload.find(R"("command":")") + 11;
  payload.replace(begin, payload.find('"', begin) - begin, changed);
  EXPECT_EQ(call(payload).status, 401);
}

TEST_F(ResponderTest, TakesOneGoodSignatureOfSeveral) {
  EXPECT_EQ(call(signed_by({other_key_, key_}, command({}))).status, 200);
}

TEST_F(ResponderTest, RefusesCommandsForOthers) {
  EXPECT_EQ(order({.device = "press2"}).status, 403);
  EXPECT_EQ(order({.module = ""}).status, 403);
  EXPECT_EQ(order({}).status, 200);  // hub and generation are known from here on
  EXPECT_EQ(order({.id = "2", .generation = "g2"}).status, 403);
  EXPECT_EQ(order({.id = "3", .hub = "other"}).status, 403);
  start();
  EXPECT_EQ(order({.id = "4", .generation = "g2"}).status, 403);
}

TEST_F(ResponderTest, RefusesWhatHasExpiredAndNamesBothClocks) {
  clock_.advance(Duration::minutes(5));
  const MethodAnswer answer = order({});
  EXPECT_EQ(answer.status, 410);
  EXPECT_THAT(answer.payload, HasSubstr(format_rfc3339(kNow + Duration::minutes(5))));
  EXPECT_EQ(order({.id = "2", .issued = kNow - Duration::minutes(9), .expires = kNow + Duration::minutes(51)}).status,
            200);
}

TEST_F(ResponderTest, RefusesALongLifeAndTheFuture) {
  EXPECT_EQ(order({.expires = kNow + Duration::hours(1) + Duration::microseconds(1)}).status, 400);
  EXPECT_EQ(order({.expires = kNow - Duration::seconds(1)}).status, 400);
  EXPECT_EQ(order({.issued = kNow + Duration::minutes(6), .expires = kNow + Duration::minutes(9)}).status, 425);
  EXPECT_EQ(order({.expires = kNow + Duration::hours(1)}).status, 200);
}

TEST_F(ResponderTest, RefusesWhatTheLocalPolicyDoesNotAllowAndNamesTheSetting) {
  for (const auto& [action, setting] :
       {std::pair{"isolate", "response.isolate"}, {"release", "response.isolate"}, {"kill", "response.process"}}) {
    const MethodAnswer answer = order({.id = std::string("id-") + action, .action = action, .arguments = "{}"});
    EXPECT_EQ(answer.status, 403);
    EXPECT_THAT(answer.payload, HasSubstr(setting));
  }
  EXPECT_EQ(order({.id = "x", .action = "reboot", .arguments = "{}"}).status, 404);
}

TEST_F(ResponderTest, TakesNothingWithoutAPinnedKey) {
  settings_.key_file.clear();
  EXPECT_EQ(order({}).status, 501);
}

TEST_F(ResponderTest, TakesNoKeyThatOthersMayChange) {
  ::chmod(settings_.key_file.c_str(), 0666);
  EXPECT_EQ(order({}).status, 501);
}

TEST_F(ResponderTest, ARotatedKeyTakesThePlaceOfThePinnedOne) {
  JsonWriter arguments;
  arguments.begin_object().key("key").value(public_key_of(other_key_).value()).end_object();
  EXPECT_EQ(order({.id = "r", .action = "rotate-key", .arguments = arguments.take()}).status, 200);
  EXPECT_EQ(order({.id = "2"}).status, 401);
  EXPECT_EQ(call(signed_by({other_key_}, command({.id = "3"}))).status, 200);
  start();
  EXPECT_EQ(call(signed_by({other_key_}, command({.id = "4"}))).status, 200);
}

TEST_F(ResponderTest, ReportsRefusalsInMeasure) {
  for (unsigned i = 0; i < Responder::kRefusalsMax + 5; ++i) EXPECT_EQ(call("{}").status, 400);
  EXPECT_EQ(sink_.events.size(), Responder::kRefusalsMax);
  clock_.advance(Responder::kRefusalWindow);
  EXPECT_EQ(call("{}").status, 400);
  EXPECT_EQ(sink_.events.size(), Responder::kRefusalsMax + 1);
  EXPECT_THAT(last_event(), HasSubstr("5 more were refused"));
}

TEST_F(ResponderTest, RemembersABoundedNumberOfCommands) {
  for (std::size_t i = 0; i < ResponseMemory::kCommandsMax; ++i) {
    ASSERT_EQ(order({.id = "id-" + std::to_string(i)}).status, 200);
  }
  EXPECT_EQ(order({.id = "one-more"}).status, 429);
  clock_.advance(Duration::minutes(5));
  EXPECT_EQ(order({.id = "one-more", .issued = clock_.now(), .expires = clock_.now() + Duration::minutes(1)}).status,
            200);
}

TEST_F(ResponderTest, CollectsAFileInPartsOfOneContent) {
  settings_.collect = true;
  std::string content;
  for (std::size_t i = 0; content.size() < FileCollection::kPartBytes * 5 / 2; ++i) content += std::to_string(i) + "\n";
  std::ofstream(directory_ + "/file") << content;
  const std::string arguments = R"({"path":")" + directory_ + R"(/file"})";
  const MethodAnswer answer = order({.action = "collect", .arguments = arguments});
  ASSERT_EQ(answer.status, 200) << answer.payload;
  EXPECT_THAT(answer.payload, HasSubstr(R"("chunks":3)"));
  EXPECT_EQ(order({.id = "again", .action = "collect", .arguments = arguments}).status, 409);
  std::ofstream(directory_ + "/file") << "changed meanwhile";
  std::string got;
  for (int turn = 0; turn < 4; ++turn) {
    ASSERT_TRUE(loop_.run_once({}));
    clock_.advance(Duration::milliseconds(2));
  }
  for (const KeptEvent& event : sink_.events) {
    if (event.record.event.name != "CollectedFile") continue;
    const auto item = parse_json(event.items);
    ASSERT_TRUE(item);
    got += as_text(from_base64(item->find("Content")->text().value()).value());
  }
  EXPECT_EQ(got, content);
}

TEST_F(ResponderTest, CollectsNothingButSmallRegularFilesWithoutLinks) {
  settings_.collect = true;
  settings_.collect_bytes_max = 8;
  std::ofstream(directory_ + "/large") << "123456789";
  std::ofstream(directory_ + "/small") << "12345678";
  ASSERT_EQ(::symlink("small", (directory_ + "/link").c_str()), 0);
  ASSERT_EQ(::symlink(directory_.c_str(), (directory_ + "/folder").c_str()), 0);
  const std::pair<std::string, int> cases[] = {{directory_ + "/large", 413},
                                               {directory_ + "/link", 400},
                                               {directory_ + "/folder/small", 400},
                                               {directory_, 400},
                                               {directory_ + "/absent", 404},
                                               {"small", 400},
                                               {"/dev/null", 400},
                                               {directory_ + "/small", 200}};
  int number = 0;
  for (const auto& [path, status] : cases) {
    EXPECT_EQ(
        order(
            {.id = "id-" + std::to_string(number++), .action = "collect", .arguments = R"({"path":")" + path + R"("})"})
            .status,
        status)
        << path;
  }
}

TEST_F(ResponderTest, NeverTouchesProcessOneOrItself) {
  settings_.process = true;
  EXPECT_EQ(order({.id = "1", .action = "kill", .arguments = R"({"pid":1})"}).status, 400);
  const std::string self = R"({"pid":)" + std::to_string(::getpid()) + "}";
  EXPECT_EQ(order({.id = "2", .action = "suspend", .arguments = self}).status, 400);
  EXPECT_EQ(order({.id = "3", .action = "kill", .arguments = R"({"pid":-1})"}).status, 400);
}

TEST_F(ResponderTest, BlocksOnlyWhereTheLocalPolicyAllowsItAndSaysWhyNot) {
  const std::string hash = R"({"sha256":")" + std::string(64, 'a') + "\"}";
  const MethodAnswer refused = order({.action = "block", .arguments = hash});
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.payload, HasSubstr("response.block"));
  settings_.block = true;
  EXPECT_EQ(order({.id = "2", .action = "block", .arguments = R"({"sha256":"aa"})"}).status, 400);
  EXPECT_EQ(order({.id = "3", .action = "unblock", .arguments = hash}).status, 404);
}

TEST_F(ResponderTest, SaysAtItsStartThatTheListOfBlockedProgramsIsDamaged) {
  std::ofstream(directory_ + "/response/blocked") << "{";
  responder_->start();
  EXPECT_THAT(last_event(), HasSubstr(R"("Action":"block")"));
  EXPECT_THAT(last_event(), HasSubstr(R"("Result":"Failed")"));
  EXPECT_THAT(last_event(), HasSubstr("damaged"));
}

}  // namespace
}  // namespace picket::agent
