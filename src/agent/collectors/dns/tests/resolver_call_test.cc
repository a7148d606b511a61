// What calls of getaddrinfo() tell.
#include "dns/resolver_call.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/socket.h>

namespace picket::agent {
namespace {

using testing::ElementsAre;

picket_names_event call(std::string_view name, int result = 0) {
  picket_names_event out{};
  out.pid = 7;
  out.result = result;
  name.copy(out.name, sizeof(out.name) - 1);
  out.name_bytes = static_cast<std::uint32_t>(name.size() + 1);
  return out;
}

void answer(picket_names_event& event, int family, std::initializer_list<std::uint8_t> address) {
  picket_names_answer& next = event.answers[event.answered++];
  next.family = static_cast<std::uint16_t>(family);
  std::copy(address.begin(), address.end(), next.address);
}

TEST(AskedName, IsLowerCaseWithoutTheLastDot) {
  EXPECT_EQ(asked_name("Picket.Example."), "picket.example");
  EXPECT_EQ(asked_name("localhost"), "localhost");
  EXPECT_EQ(asked_name("1.example"), "1.example");
}

TEST(AskedName, IsNoneWhereNothingIsLookedUp) {
  for (const char* text : {"", ".", "192.0.2.1", "::1", "fe80::1%eth0"})
    EXPECT_EQ(asked_name(text), std::nullopt) << text;
  EXPECT_TRUE(asked_name(std::string(255, 'a')));
  EXPECT_EQ(asked_name(std::string(256, 'a')), std::nullopt);
}

TEST(AskedName, EscapesWhatIsNotPrintable) { EXPECT_EQ(asked_name("a\n\xff.b\\c"), "a\\010\\255.b\\\\c"); }

TEST(ResolverCall, IsALookUpForEachFamilyWithEachAddressOnce) {
  auto event = call("Picket.Example");
  for (int kind = 0; kind < 3; ++kind) {  // streams, datagrams, raw
    answer(event, AF_INET6, {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    answer(event, AF_INET, {192, 0, 2, 1});
  }
  answer(event, AF_INET, {192, 0, 2, 2});
  const auto look_ups = look_ups_of(event, {});
  ASSERT_EQ(look_ups.size(), 2u);
  EXPECT_EQ(look_ups[0].type, 1);
  EXPECT_THAT(look_ups[0].answers, ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_EQ(look_ups[1].type, 28);
  EXPECT_THAT(look_ups[1].answers, ElementsAre("2001:db8::1"));
  for (const LookUp& each : look_ups) {
    EXPECT_EQ(each.name, "picket.example");
    EXPECT_EQ(each.pid, 7u);
    EXPECT_EQ(each.code, 0);
  }
}

TEST(ResolverCall, WithoutAddressesIsOneLookUpWithItsCode) {
  const auto one = [](int result) { return look_ups_of(call("no.example", result), {}).at(0); };
  EXPECT_EQ(one(EAI_NONAME).code, 3);
  EXPECT_EQ(one(-5).code, 0) << "a name without addresses";
  EXPECT_EQ(one(EAI_FAIL).code, 2);
  EXPECT_TRUE(one(EAI_AGAIN).timed_out);
  EXPECT_EQ(one(EAI_MEMORY).code, std::nullopt);
  EXPECT_FALSE(one(EAI_MEMORY).timed_out);
  EXPECT_EQ(one(EAI_NONAME).type, 0);
}

TEST(ResolverCall, ThatLooksNothingUpIsNone) { EXPECT_TRUE(look_ups_of(call("192.0.2.1"), {}).empty()); }

TEST(ResolverCall, BelievesNoCountBeyondItsTable) {
  auto event = call("a.example");
  event.answered = 1'000'000;
  event.name_bytes = 1'000'000;
  EXPECT_EQ(look_ups_of(event, {}).size(), 1u);
}

}  // namespace
}  // namespace picket::agent
