// Messages of ctnetlink as the kernel (6.18) sent them, and what becomes of them when they are cut.
#include "network/conntrack_message.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include "base/core/encoding.h"
#include "network/own_addresses.h"

namespace picket::agent {
namespace {

/// 127.0.0.1:44408 to port 4321: its third message, established.
constexpr std::string_view kEstablished =
    "d0000000000100000000000000000000020000003400018014000180080001007f000001080002007f0000011c000280"
    "050001000600000006000200ad7800000600030010e100003400028014000180080001007f000001080002007f000001"
    "1c00028005000100060000000600020010e1000006000300ad78000008000c00f7663b45080003000000000e08000700"
    "00069780300004802c0001800500010003000000050002000a000000050003000a000000060004002300000006000500"
    "230000000c001b0018ea4e3118558643";
/// [::1]:46539 to port 4322: one datagram of three bytes, forgotten.
constexpr std::string_view kUdpDestroyed =
    "24010000020100000000000065346d9b0a0000004c0001802c0001801400030000000000000000000000000000000001"
    "14000400000000000000000000000000000000011c000280050001001100000006000200b5cb00000600030010e20000"
    "4c0002802c00018014000300000000000000000000000000000000011400040000000000000000000000000000000001"
    "1c00028005000100110000000600020010e2000006000300b5cb000008000c009acde3e0080003000000020808000700"
    "0000001c1c0009800c00010000000000000000010c00020000000000000000331c000a800c0001000000000000000000"
    "0c00020000000000000000001c0014800c00010018ea4e3118588f3d0c00020018ea4e315aad12c40c001b0018ea4e31"
    "5aad1491";
/// The connection above, forgotten: 7 bytes there, 10 back.
constexpr std::string_view kTcpDestroyed =
    "04010000020100000000000065346d9b020000003400018014000180080001007f000001080002007f0000011c000280"
    "050001000600000006000200ad7800000600030010e100003400028014000180080001007f000001080002007f000001"
    "1c00028005000100060000000600020010e1000006000300ad78000008000c00f7663b45080003000000020e08000700"
    "0006977e1c0009800c00010000000000000000040c00020000000000000000df1c000a800c0001000000000000000003"
    "0c00020000000000000000ae1c0014800c00010018ea4e3118544b740c00020018ea4e315aada6e1100004800c000180"
    "05000100030000000c001b0018ea4e315aada7a9";
/// The first message of such a datagram's flow.
constexpr std::string_view kUdpCreated =
    "d00000000001000600000000000000000a0000004c0001802c0001801400030000000000000000000000000000000001"
    "14000400000000000000000000000000000000011c000280050001001100000006000200b5cb00000600030010e20000"
    "4c0002802c00018014000300000000000000000000000000000000011400040000000000000000000000000000000001"
    "1c00028005000100110000000600020010e2000006000300b5cb000008000c009acde3e0080003000000000808000700"
    "0000001e0c001b0018ea4e3118589019";

Buffer bytes_of(std::string_view hex) {
  Buffer out;
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<std::byte>(digit(hex[i]) * 16 + digit(hex[i + 1])));
  }
  return out;
}

std::vector<ConntrackFlow> read(Bytes bytes) {
  std::vector<ConntrackFlow> out;
  for_each_flow(bytes, [&](const ConntrackFlow& flow) { out.push_back(flow); });
  return out;
}

TEST(ConntrackMessage, TcpIsEstablishedOnce) {
  const auto flows = read(bytes_of(kEstablished));
  ASSERT_EQ(flows.size(), 1u);
  const ConntrackFlow& flow = flows[0];
  EXPECT_EQ(flow.message, ConntrackFlow::Message::changed);
  EXPECT_FALSE(flow.created);
  EXPECT_EQ(flow.protocol, IPPROTO_TCP);
  EXPECT_TRUE(flow.assured && flow.established);
  EXPECT_EQ(flow.origin.source, (Endpoint{{{127, 0, 0, 1}, 4}, 44'408}));
  EXPECT_EQ(flow.origin.destination, (Endpoint{{{127, 0, 0, 1}, 4}, 4'321}));
  EXPECT_EQ(flow.reply.source, flow.origin.destination);
  EXPECT_EQ(flow.reply.destination, flow.origin.source);
  EXPECT_EQ(flow.id, 0xf7663b45u);
  EXPECT_FALSE(flow.counted);
}

TEST(ConntrackMessage, UdpBeginsWithItsFirstPacket) {
  const auto flows = read(bytes_of(kUdpCreated));
  ASSERT_EQ(flows.size(), 1u);
  EXPECT_TRUE(flows[0].created);
  EXPECT_EQ(flows[0].protocol, IPPROTO_UDP);
  EXPECT_EQ(flows[0].origin.destination.address.length, 16);
  EXPECT_EQ(flows[0].origin.destination.address.bytes[15], 1);
  EXPECT_EQ(flows[0].origin.destination.port, 4'322);
}

TEST(ConntrackMessage, TheEndHasBytesAndTimes) {
  const auto udp = read(bytes_of(kUdpDestroyed));
  ASSERT_EQ(udp.size(), 1u);
  EXPECT_EQ(udp[0].message, ConntrackFlow::Message::destroyed);
  EXPECT_TRUE(udp[0].counted);
  EXPECT_EQ(udp[0].origin.packets, 1u);
  EXPECT_EQ(udp[0].origin.bytes, 51u);
  EXPECT_EQ(payload_bytes(udp[0].origin, IPPROTO_UDP), 3u);
  EXPECT_EQ(payload_bytes(udp[0].reply, IPPROTO_UDP), 0u);
  EXPECT_GT(udp[0].start_ns, 0u);
  EXPECT_GT(udp[0].stop_ns, udp[0].start_ns);
  const auto tcp = read(bytes_of(kTcpDestroyed));
  ASSERT_EQ(tcp.size(), 1u);
  EXPECT_TRUE(tcp[0].assured);
  // Options of TCP count: 12 bytes a packet here, and 8 more in the first.
  EXPECT_EQ(payload_bytes(tcp[0].origin, IPPROTO_TCP), 7u + 4 * 12 + 8);
  EXPECT_EQ(payload_bytes(tcp[0].reply, IPPROTO_TCP), 10u + 3 * 12 + 8);
}

TEST(ConntrackMessage, PayloadIsNeverNegative) {
  EXPECT_EQ(payload_bytes({.source = {{{1}, 4}, 1}, .packets = 10, .bytes = 100}, IPPROTO_TCP), 0u);
  EXPECT_EQ(payload_bytes({.source = {{{1}, 4}, 1}, .packets = ~0ULL, .bytes = 1}, IPPROTO_TCP), 0u);
}

TEST(ConntrackMessage, CutAnywhereItIsNoFlowOrTheSame) {
  for (const auto hex : {kEstablished, kUdpDestroyed, kTcpDestroyed}) {
    const Buffer whole = bytes_of(hex);
    for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_TRUE(read(Bytes(whole).first(n)).empty()) << n;
    Buffer twice = whole;
    twice.insert(twice.end(), whole.begin(), whole.end());
    EXPECT_EQ(read(twice).size(), 2u);
  }
}

TEST(ConntrackMessage, TheEndOfAListingEndsTheWalk) {
  Buffer done(20);
  done[0] = std::byte{20};
  done[4] = std::byte{3};  // NLMSG_DONE
  EXPECT_FALSE(for_each_flow(done, [](const ConntrackFlow&) {}));
  EXPECT_TRUE(for_each_flow(bytes_of(kEstablished), [](const ConntrackFlow&) {}));
}

TEST(OwnAddresses, KnowsLoopbackAndNotOthers) {
  OwnAddresses addresses;
  const auto* loopback = addresses.find({{127, 0, 0, 1}, 4}, Duration::seconds(1));
  ASSERT_NE(loopback, nullptr);
  EXPECT_STREQ(loopback->interface, "lo");
  EXPECT_EQ(addresses.find({{192, 0, 2, 250}, 4}, Duration::seconds(1)), nullptr);
}

}  // namespace
}  // namespace picket::agent
