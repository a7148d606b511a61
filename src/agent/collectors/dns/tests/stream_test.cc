// DNS messages out of TCP segments.
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/dns_stream.h"
#include "tests/dns_bytes.h"

namespace picket::agent {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::IsEmpty;

DnsPacket segment(std::uint32_t sequence, std::string_view bytes, std::uint16_t port = 4'000) {
  DnsPacket out;
  out.protocol = 6;
  out.source = {{{192, 0, 2, 1}, 4}, port};
  out.destination = {{{192, 0, 2, 53}, 4}, 53};
  out.sequence = sequence;
  out.message = as_bytes(bytes);
  return out;
}
std::string framed(std::string_view message) {
  return be16(static_cast<unsigned>(message.size())) + std::string(message);
}

class Streams : public testing::Test {
 protected:
  std::vector<std::string> take(const DnsPacket& packet, Duration now = {}) {
    std::vector<std::string> out;
    streams_.take(packet, now, [&](Bytes message) { out.emplace_back(as_text(message)); });
    return out;
  }
  DnsStreams streams_;
};

TEST_F(Streams, GivesAMessageWhenItsLastByteIsThere) {
  const std::string bytes = framed("hello");
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    EXPECT_THAT(take(segment(static_cast<std::uint32_t>(10 + i), bytes.substr(i, 1))), IsEmpty()) << i;
  }
  EXPECT_THAT(take(segment(16, bytes.substr(6))), ElementsAre("hello"));
}

TEST_F(Streams, SeveralMessagesOfOneSegmentComeOneByOne) {
  EXPECT_THAT(take(segment(1, framed("one") + framed("two") + framed("th").substr(0, 3))), ElementsAre("one", "two"));
  EXPECT_THAT(take(segment(14, "h")), ElementsAre("th"));
}

TEST_F(Streams, WhatIsSentAgainIsTakenOnce) {
  EXPECT_THAT(take(segment(1, framed("hello").substr(0, 4))), IsEmpty());
  EXPECT_THAT(take(segment(1, framed("hello").substr(0, 4))), IsEmpty());
  EXPECT_THAT(take(segment(1, framed("hello"))), ElementsAre("hello")) << "again, and more";
  EXPECT_THAT(take(segment(1, framed("hello"))), IsEmpty());
}

TEST_F(Streams, WhatCameTooEarlyWaits) {
  const std::string bytes = framed("hello");
  EXPECT_THAT(take(segment(1, bytes.substr(0, 1))), IsEmpty());
  EXPECT_THAT(take(segment(5, bytes.substr(4))), IsEmpty());
  EXPECT_THAT(take(segment(3, bytes.substr(2, 2))), IsEmpty());
  EXPECT_THAT(take(segment(2, bytes.substr(1, 1))), ElementsAre("hello"));
}

TEST_F(Streams, SequenceNumbersMayPassZero) {
  const std::string bytes = framed("hello");
  EXPECT_THAT(take(segment(0xfffffffe, bytes.substr(0, 4))), IsEmpty());
  EXPECT_THAT(take(segment(2, bytes.substr(4))), ElementsAre("hello"));
}

TEST_F(Streams, ABeginningForgetsWhatWas) {
  EXPECT_THAT(take(segment(1, framed("hello").substr(0, 4))), IsEmpty());
  auto again = segment(99, "");
  again.begins = true;
  EXPECT_THAT(take(again), IsEmpty());
  EXPECT_THAT(take(segment(100, framed("new"))), ElementsAre("new"));
}

TEST_F(Streams, AnEndFreesItsPlace) {
  const std::string bytes = framed("hello") + "\0"s;
  auto last = segment(1, bytes);
  last.ends = true;
  EXPECT_THAT(take(last), ElementsAre("hello"));
  EXPECT_THAT(take(segment(500, framed("other"))), ElementsAre("other")) << "another connection, the same ports";
}

TEST_F(Streams, OfALongMessageTheFrontIsGivenAndTheNextIsFound) {
  const std::string longer(DnsStreams::kMessageKept + 1'000, 'x');
  std::string bytes = framed(longer) + framed("next");
  std::vector<std::string> all;
  std::uint32_t at = 7;
  while (!bytes.empty()) {
    for (auto& each : take(segment(at, bytes.substr(0, 1'400)))) all.push_back(std::move(each));
    at += static_cast<std::uint32_t>(std::min<std::size_t>(1'400, bytes.size()));
    bytes.erase(0, 1'400);
  }
  EXPECT_THAT(all, ElementsAre(longer.substr(0, DnsStreams::kMessageKept), "next"));
}

TEST_F(Streams, WhatTheCaptureLeftOutDoesNotConfuseTheNextMessage) {
  const std::string message(3'000, 'x'), front = framed(message).substr(0, 2'000), small = framed("xy");
  auto cut = segment(1, front);
  cut.missing = 1'002;
  EXPECT_THAT(take(cut), ElementsAre(message.substr(0, 1'998)));
  EXPECT_THAT(take(segment(3'003, framed("next"))), ElementsAre("next"));
  cut = segment(3'009, small);  // more is left out than the message has: begin anew
  cut.missing = 100;
  EXPECT_THAT(take(cut), ElementsAre("xy"));
  EXPECT_THAT(take(segment(9'000, framed("anew"))), ElementsAre("anew"));
}

TEST_F(Streams, WhoWasUsedLongestAgoMakesRoom) {
  for (std::uint16_t i = 0; i <= DnsStreams::kStreams; ++i) {
    EXPECT_THAT(take(segment(1, framed("hello").substr(0, 3), 4'000 + i), Duration::seconds(i + 1)), IsEmpty());
  }
  EXPECT_THAT(take(segment(4, framed("hello").substr(3), 4'001), Duration::seconds(100)), ElementsAre("hello"));
  EXPECT_THAT(take(segment(4, framed("hello").substr(3), 4'000), Duration::seconds(101)), IsEmpty()) << "it had to go";
}

TEST_F(Streams, HoweverTheyAreCutMixedAndRepeatedTheMessagesAreTheSame) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    DnsStreams streams;
    std::vector<std::string> messages, got;
    std::string bytes;
    for (unsigned i = 0; i < 1 + random() % 4; ++i) {
      messages.emplace_back(1 + random() % 300, static_cast<char>('a' + i));
      bytes += framed(messages.back());
    }
    const std::uint32_t first = static_cast<std::uint32_t>(random());
    std::vector<std::pair<std::size_t, std::size_t>> cuts;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t length = std::min<std::size_t>(1 + random() % 200, bytes.size() - at);
      cuts.emplace_back(at, length);
      if (random() % 4 == 0) cuts.emplace_back(at, length);
      at += length;
    }
    for (std::size_t i = 1; i < cuts.size(); ++i) {  // neighbours change places; the beginning is known by its SYN
      if (random() % 3 == 0) std::swap(cuts[i - 1], cuts[i]);
    }
    auto begin = segment(first - 1, "");
    begin.begins = true;
    streams.take(begin, {}, [](Bytes) {});
    for (const auto& [at, length] : cuts) {
      streams.take(segment(first + static_cast<std::uint32_t>(at), std::string_view(bytes).substr(at, length)), {},
                   [&](Bytes message) { got.emplace_back(as_text(message)); });
    }
    ASSERT_EQ(got, messages) << "round " << round;
  }
}

}  // namespace
}  // namespace picket::agent
