// What makes one look-up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/name_cache.h"
#include "dns/look_up_table.h"

namespace picket::agent {
namespace {

using testing::ElementsAre;

Endpoint at(std::uint8_t last, std::uint16_t port, std::uint8_t first = 192) {
  Endpoint out;
  out.address.length = 4;
  out.address.bytes = {first, 0, 0, last};
  out.port = port;
  return out;
}
DnsMessage message(std::uint16_t id, std::string name, bool response = false, std::uint8_t code = 0) {
  DnsMessage out;
  out.id = id;
  out.name = std::move(name);
  out.type = 1;
  out.is_response = response;
  out.code = code;
  return out;
}

class LookUps : public testing::Test {
 protected:
  static constexpr std::uint8_t kUdp = 17, kTcp = 6;
  const Endpoint client = at(1, 4000), server = at(53, 53), local = at(53, 53, 127);
  std::vector<LookUp> reported;
  Moment now{Timestamp{}, Duration::seconds(100)};
  LookUpTable table{Duration::seconds(5), [this](const LookUp& each) { reported.push_back(each); }};

  LookUp* ask(const DnsMessage& question, const Endpoint& whom, std::uint8_t protocol = kUdp,
              std::uint16_t port = 4000) {
    return table.ask(question, protocol, at(1, port, whom.address.bytes[0]), whom, 30, now);
  }
  bool answer(DnsMessage answer, const Endpoint& who, std::uint8_t protocol = kUdp, std::uint16_t port = 4000) {
    return table.answer(answer, protocol, at(1, port, who.address.bytes[0]), who, 60, now);
  }
  Duration later(Duration by) {
    now.monotonic = now.monotonic + by;
    return table.on_time(now);
  }
};

TEST_F(LookUps, JoinAQuestionAndItsAnswer) {
  LookUp* asked = ask(message(7, "a"), server);
  ASSERT_NE(asked, nullptr);
  asked->pid = 42;
  DnsMessage reply = message(7, "a", true, 3);
  reply.answers = {"192.0.2.1"};
  EXPECT_TRUE(answer(reply, server));
  ASSERT_EQ(reported.size(), 1u);
  EXPECT_EQ(reported[0].code, 3);
  EXPECT_EQ(reported[0].pid, 42u);
  EXPECT_THAT(reported[0].answers, ElementsAre("192.0.2.1"));
  EXPECT_EQ(reported[0].bytes_out, 30u);
  EXPECT_EQ(reported[0].bytes_in, 60u);
}

TEST_F(LookUps, AreOneHoweverOftenTheirPacketsAreSeen) {
  EXPECT_NE(ask(message(7, "a"), server), nullptr);
  EXPECT_EQ(ask(message(7, "a"), server), nullptr);
  EXPECT_TRUE(answer(message(7, "a", true), server));
  EXPECT_TRUE(answer(message(7, "a", true), server));
  later(Duration::minutes(1));
  ASSERT_EQ(reported.size(), 1u);
  EXPECT_EQ(reported[0].bytes_out, 60u);
  EXPECT_EQ(table.size(), 0u);
}

TEST_F(LookUps, DifferInAnyPartOfTheirKey) {
  EXPECT_NE(ask(message(7, "a"), server), nullptr);
  EXPECT_NE(ask(message(8, "a"), server), nullptr);
  EXPECT_NE(ask(message(7, "b"), server), nullptr);
  EXPECT_NE(ask(message(7, "a"), at(54, 53)), nullptr);
  EXPECT_NE(ask(message(7, "a"), server, kUdp, 4001), nullptr);
  EXPECT_FALSE(answer(message(7, "c", true), server)) << "nobody asked";
  EXPECT_FALSE(answer(message(9, "a", true), server)) << "a guess at the number";
  EXPECT_TRUE(reported.empty());
}

TEST_F(LookUps, EndWithoutAnAnswerWhenTheirTimeIsOver) {
  ask(message(7, "a"), server);
  EXPECT_EQ(later(Duration::seconds(2)), Duration::seconds(3));
  EXPECT_TRUE(reported.empty());
  later(Duration::seconds(3));
  ASSERT_EQ(reported.size(), 1u);
  EXPECT_TRUE(reported[0].timed_out);
  EXPECT_FALSE(reported[0].code);
  EXPECT_FALSE(answer(message(7, "a", true), server)) << "too late";
}

TEST_F(LookUps, AreNotThoseThatALocalResolverPassesOn) {
  EXPECT_NE(ask(message(7, "a"), local), nullptr);
  EXPECT_EQ(ask(message(1000, "a"), server), nullptr) << "the resolver's own";
  EXPECT_NE(ask(message(1001, "b"), server), nullptr) << "somebody else's";
  EXPECT_TRUE(answer(message(1000, "a", true), server));
  EXPECT_TRUE(reported.empty());
  EXPECT_TRUE(answer(message(7, "a", true), local));
  ASSERT_EQ(reported.size(), 1u);
  EXPECT_EQ(reported[0].server, local);
  EXPECT_NE(ask(message(1002, "a"), server), nullptr) << "nobody waits for it any more";
}

TEST_F(LookUps, WaitForTcpWhenTheAnswerWasCutOff) {
  ask(message(7, "a"), server);
  DnsMessage cut = message(7, "a", true);
  cut.truncated = true;
  EXPECT_TRUE(answer(cut, server));
  EXPECT_TRUE(reported.empty());
  ask(message(8, "a"), server, kTcp, 4001);
  EXPECT_TRUE(answer(message(8, "a", true), server, kTcp, 4001));
  later(Duration::minutes(1));
  ASSERT_EQ(reported.size(), 1u);
  EXPECT_EQ(reported[0].protocol, kTcp);
}

TEST_F(LookUps, TellTheCutOffAnswerIfNobodyAsksAgain) {
  ask(message(7, "a"), server);
  DnsMessage cut = message(7, "a", true);
  cut.truncated = true;
  answer(cut, server);
  later(Duration::seconds(5));
  ASSERT_EQ(reported.size(), 1u);
  EXPECT_FALSE(reported[0].timed_out);
  EXPECT_EQ(reported[0].code, 0);
}

TEST_F(LookUps, MakeRoomByReportingTheOldest) {
  for (std::size_t i = 0; i <= LookUpTable::kEntriesMax; ++i) ask(message(static_cast<std::uint16_t>(i), "a"), server);
  EXPECT_EQ(table.size(), LookUpTable::kEntriesMax);
  ASSERT_EQ(reported.size(), 1u);
  EXPECT_FALSE(reported[0].timed_out);
  EXPECT_FALSE(reported[0].code);
}

TEST(NameCache, KeepsTheNewestNameOfAnAddressAndForgetsTheOldestAddress) {
  NameCache names;
  names.put(at(1, 0).address, "first");
  names.put(at(1, 0).address, "second");
  EXPECT_EQ(names.find(at(1, 0).address), "second");
  EXPECT_EQ(names.find(at(2, 0).address), "");
  names.put(at(3, 0).address, std::string(NameCache::kNameBytesMax + 1, 'a'));
  EXPECT_EQ(names.find(at(3, 0).address), "") << "too long to be kept";
  for (std::size_t i = 0; i < NameCache::kEntriesMax; ++i) {
    IpAddress each{.length = 16};
    each.bytes[0] = static_cast<std::uint8_t>(i);
    names.put(each, "other");
  }
  EXPECT_EQ(names.find(at(1, 0).address), "");
}

}  // namespace
}  // namespace picket::agent
