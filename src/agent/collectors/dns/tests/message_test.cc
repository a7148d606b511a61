// DNS messages and the packets they come in.
#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/encoding.h"
#include "dns/dns_message.h"
#include "dns/dns_packet.h"
#include "tests/dns_bytes.h"

namespace picket::agent {
namespace {

using namespace std::string_view_literals;
using namespace std::string_literals;
using testing::ElementsAre;
using testing::SizeIs;

constexpr unsigned kA = 1, kCname = 5, kTxt = 16, kAaaa = 28;

std::string where_of(std::string_view message) {
  const auto parsed = parse_dns(as_bytes(message));
  return parsed ? "" : std::string(parsed.error().where);
}

TEST(DnsMessage, TellsTheQuestionInLowerCaseWithoutItsDot) {
  const auto parsed = parse_dns(as_bytes(dns_question(0x1234, "WwW.Example.COM", kAaaa)));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->id, 0x1234);
  EXPECT_FALSE(parsed->is_response);
  EXPECT_EQ(parsed->name, "www.example.com");
  EXPECT_EQ(parsed->type, kAaaa);
  EXPECT_EQ(parse_dns(as_bytes(dns_question(1, "", 2)))->name, ".");
}

TEST(DnsMessage, TellsAddressesNamesAndTextsOfAnAnswer) {
  const std::string records = record(kCname, "\3cdn\xc0\x0c"sv) + record(kA, "\xc0\x00\x02\x07"sv) +
                              record(kAaaa, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"sv) + record(kTxt, "\2ab\1c"sv) +
                              record(6, "anything"sv);
  const auto parsed = parse_dns(as_bytes(dns_answer(7, "www.example.com", kA, 0, 5, records)));
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->is_response);
  EXPECT_EQ(parsed->code, 0);
  EXPECT_THAT(parsed->answers, ElementsAre("cdn.www.example.com", "192.0.2.7", "2001:db8::1", "abc"));
  EXPECT_THAT(parsed->addresses, SizeIs(2));
  EXPECT_FALSE(parsed->incomplete);
}

TEST(DnsMessage, ReadsWhatRealServersSent) {
  // dns.google AAAA over UDP, with EDNS and a compressed owner name.
  const auto bytes = from_hex(
      "b3a0818000010002000000010364"
      "6e7306676f6f676c6500001c0001c00c001c00010000036d001020014860486000000000000000008844c00c001c00010000036d0010"
      "20014860486000000000000000008888"
      "0000290200000000000000");
  const auto parsed = parse_dns(*bytes);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->name, "dns.google");
  EXPECT_THAT(parsed->answers, ElementsAre("2001:4860:4860::8844", "2001:4860:4860::8888"));
}

TEST(DnsMessage, AtEveryCutIsRefusedOrKeepsItsQuestion) {
  const std::string whole =
      dns_answer(7, "www.example.com", kA, 3, 2, record(kA, "\1\2\3\4"sv) + record(kA, "\5\6\7\x8"sv));
  const std::size_t question = 12 + labels("www.example.com").size() + 4;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto parsed = parse_dns(as_bytes(whole).first(n));
    if (n < question) {
      ASSERT_FALSE(parsed) << n;
      EXPECT_EQ(parsed.error().code, Errc::truncated) << n;
    } else {
      ASSERT_TRUE(parsed) << n;
      EXPECT_EQ(parsed->name, "www.example.com");
      EXPECT_EQ(parsed->code, 3);
      EXPECT_TRUE(parsed->incomplete);
    }
  }
}

TEST(DnsMessage, KeepsSixteenAnswersAndSaysThatThereAreMore) {
  std::string records;
  for (char i = 0; i < 17; ++i) records += record(kA, std::string("\1\2\3", 3) + i);
  const auto sixteen = parse_dns(as_bytes(dns_answer(7, "a", kA, 0, 16, records)));
  const auto more = parse_dns(as_bytes(dns_answer(7, "a", kA, 0, 17, records)));
  ASSERT_TRUE(sixteen && more);
  EXPECT_THAT(sixteen->answers, SizeIs(16));
  EXPECT_FALSE(sixteen->incomplete);
  EXPECT_THAT(more->answers, SizeIs(16));
  EXPECT_TRUE(more->incomplete);
}

TEST(DnsMessage, IsAQueryWithOneQuestion) {
  EXPECT_EQ(where_of(be16(1) + be16(0x2800) + be16(1) + std::string(6, '\0') + labels("a") + be16(1) + be16(1)),
            "dns.header")
      << "an update";
  EXPECT_EQ(where_of(be16(1) + be16(0) + be16(2) + std::string(6, '\0') + labels("a") + be16(1) + be16(1)),
            "dns.header");
}

TEST(DnsName, EndsThoughPointersWouldNot) {
  const std::string head = header(1, 0, 0), tail = be16(1) + be16(1);
  EXPECT_EQ(where_of(head + "\xc0\x0c"s.substr(0, 2) + tail), "dns.name.pointer") << "to itself";
  EXPECT_EQ(where_of(head + "\1a\xc0\x0e"s + tail), "dns.name.pointer") << "to itself behind a label";
  EXPECT_EQ(where_of(head + "\1a\xc0\x0c"s + tail), "dns.name.length") << "to its own label, over and over";
  EXPECT_EQ(where_of(head + "\xc0\x20"s + tail + std::string(40, '\0')), "dns.name.pointer") << "forward";
  EXPECT_EQ(where_of(head + "\x41x"s + std::string(70, 'x') + tail), "dns.name.label");
  EXPECT_EQ(where_of(head + "\x80x"s + std::string(70, 'x') + tail), "dns.name.label");
}

TEST(DnsName, HasAtMost255Bytes) {
  // Four labels of 62 and their lengths are 252, the last label of n and its length n + 1, and the end 1.
  const auto named = [](std::size_t last) {
    std::string name;
    for (int i = 0; i < 4; ++i) name += std::string(62, 'a') + ".";
    return parse_dns(as_bytes(dns_question(1, name + std::string(last, 'b'), 1)));
  };
  EXPECT_TRUE(named(1));
  EXPECT_TRUE(named(2));
  EXPECT_FALSE(named(3));
}

TEST(DnsName, EscapesWhatIsNotPrintable) {
  const std::string message = header(1, 0, 0) + "\6a.b\\ \xff\0"s + be16(1) + be16(1);
  EXPECT_EQ(parse_dns(as_bytes(message))->name, "a\\.b\\\\\\032\\255");
}

TEST(DnsText, NamesTypesAndCodes) {
  EXPECT_EQ(dns_type_text(65), "HTTPS");
  EXPECT_EQ(dns_type_text(1234), "TYPE1234");
  EXPECT_EQ(dns_code_text(3), "NXDOMAIN");
  EXPECT_EQ(dns_code_text(15), "RCODE15");
}

// ---- packets ----

std::string ipv4(std::uint8_t protocol, std::string_view body, unsigned fragment = 0, std::string_view options = {}) {
  const unsigned header_bytes = 20 + static_cast<unsigned>(options.size());
  return std::string(1, static_cast<char>(0x40 | header_bytes / 4)) + '\0' +
         be16(header_bytes + static_cast<unsigned>(body.size())) + be16(0) + be16(fragment) + '\x40' +
         static_cast<char>(protocol) + be16(0) + "\xc0\0\2\1"s + "\xc0\0\2\x35"s + std::string(options) +
         std::string(body);
}
std::string udp(unsigned from, unsigned to, std::string_view body) {
  return be16(from) + be16(to) + be16(8 + static_cast<unsigned>(body.size())) + be16(0) + std::string(body);
}
std::string tcp(unsigned from, unsigned to, std::string_view body) {
  return be16(from) + be16(to) + std::string(8, '\0') + "\x50\x18" + std::string(6, '\0') + std::string(body);
}

TEST(DnsPacket, FindsTheMessageBehindAnyHeader) {
  for (const char* options : {"", "abcd", "abcdefgh"}) {
    const std::string packet = ipv4(17, udp(4000, 53, "hello"), 0, options);
    const auto found = parse_dns_packet(as_bytes(packet));
    ASSERT_TRUE(found);
    EXPECT_EQ(as_text(found->message), "hello");
    EXPECT_EQ(found->source.port, 4000);
    EXPECT_EQ(found->destination.port, 53);
    EXPECT_EQ(found->destination.address.bytes[3], 0x35);
  }
}

TEST(DnsPacket, DoesNotTakePaddingForMessage) {
  const std::string packet = ipv4(17, udp(4000, 53, "hello")) + std::string(20, '\0');
  EXPECT_EQ(as_text(parse_dns_packet(as_bytes(packet))->message), "hello");
}

TEST(DnsPacket, ASegmentHasItsPlaceInTheStream) {
  const std::string packet = ipv4(6, tcp(53, 4000, "some bytes"));
  const auto found = parse_dns_packet(as_bytes(packet));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->protocol, 6);
  EXPECT_EQ(as_text(found->message), "some bytes");
  EXPECT_EQ(found->missing, 0u);
  EXPECT_FALSE(found->begins || found->ends);
  std::string numbered = packet;
  numbered[24] = 1;     // sequence number
  numbered[33] = 0x02;  // SYN
  EXPECT_EQ(parse_dns_packet(as_bytes(numbered))->sequence, 1U << 24);
  EXPECT_TRUE(parse_dns_packet(as_bytes(numbered))->begins);
  numbered[33] = 0x11;  // FIN, ACK
  EXPECT_TRUE(parse_dns_packet(as_bytes(numbered))->ends);
  const auto cut = parse_dns_packet(as_bytes(packet).first(packet.size() - 4));
  ASSERT_TRUE(cut);
  EXPECT_EQ(as_text(cut->message), "some b");
  EXPECT_EQ(cut->missing, 4u);
}

TEST(DnsPacket, PassesOverOtherPacketsAndCuts) {
  EXPECT_FALSE(parse_dns_packet(as_bytes(ipv4(17, udp(4000, 54, "hello")))));
  EXPECT_FALSE(parse_dns_packet(as_bytes(ipv4(1, udp(4000, 53, "hello")))));
  EXPECT_FALSE(parse_dns_packet(as_bytes(ipv4(17, udp(4000, 53, "hello"), 100)))) << "a later fragment";
  EXPECT_FALSE(parse_dns_packet({}));
  const std::string packet = ipv4(17, udp(4000, 53, "hello"));
  for (std::size_t n = 0; n < 28; ++n) EXPECT_FALSE(parse_dns_packet(as_bytes(packet).first(n))) << n;
}

}  // namespace
}  // namespace picket::agent
