#include "listening_ports/ports.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace picket::agent {
namespace {

using testing::SizeIs;

NetEntry entry(std::string_view line, std::uint8_t protocol) { return parse_net_line(line, protocol).value(); }
constexpr std::string_view kListen =
    "   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 77 1 0 100 0 0 10 0";
constexpr std::string_view kUdp =
    "  12: 00000000:9C40 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 88 2 0 0";
constexpr std::string_view kUdpConnected =
    "  12: 0100007F:9C40 0100007F:0035 01 00000000:00000000 00:00000000 00000000     0        0 88 2 0 0";

TEST(ListeningPorts, OnlySocketsWithoutPeersWait) {
  EXPECT_TRUE(waits_for_peers(entry(kListen, IPPROTO_TCP)));
  EXPECT_TRUE(waits_for_peers(entry(kUdp, IPPROTO_UDP)));
  EXPECT_FALSE(waits_for_peers(entry(kUdpConnected, IPPROTO_UDP)));
  NetEntry closing = entry(kListen, IPPROTO_TCP);
  closing.state = TcpState::time_wait;
  EXPECT_FALSE(waits_for_peers(closing));
}

TEST(ListeningPorts, WritesAddressPortAndProtocolAsPublished) {
  const PortTexts tcp = port_texts(entry(kListen, IPPROTO_TCP));
  EXPECT_EQ(tcp.address, "127.0.0.1");
  EXPECT_EQ(tcp.port, "22");
  EXPECT_EQ(tcp.protocol, "tcp");
  EXPECT_EQ(tcp.state, "LISTEN");
  EXPECT_EQ(port_texts(entry(kUdp, IPPROTO_UDP)).protocol, "udp");
  EXPECT_EQ(port_texts(entry(kUdp, IPPROTO_RAW)).protocol, "raw");
}

TEST(ListeningPorts, ReadsTheKernelsPortRange) {
  const auto range = parse_port_range("32768\t60999\n");
  ASSERT_TRUE(range);
  EXPECT_FALSE(range->holds(32767));
  EXPECT_TRUE(range->holds(32768));
  EXPECT_TRUE(range->holds(60999));
  EXPECT_FALSE(range->holds(61000));
  for (const std::string_view bad : {"", "1", "70000 80000", "9 1", "a b"}) EXPECT_FALSE(parse_port_range(bad)) << bad;
}

TEST(ListeningPorts, UdpSocketOnAPortOfTheKernelsChoiceCountsOnlyWhenItLasts) {
  UdpPassersBy passers_by;
  std::vector<NetEntry> first{entry(kListen, IPPROTO_TCP), entry(kUdp, IPPROTO_UDP)};
  passers_by.keep_lasting(first, {});
  EXPECT_THAT(first, SizeIs(1));
  std::vector<NetEntry> second{entry(kUdp, IPPROTO_UDP)}, other{entry(kUdp, IPPROTO_UDP)};
  passers_by.keep_lasting(second, {});
  EXPECT_THAT(second, SizeIs(1));
  other[0].inode = 89;
  passers_by.keep_lasting(other, {});
  EXPECT_THAT(other, SizeIs(0));
}

TEST(ListeningPorts, FingerprintIgnoresOrderAndSeesAnotherSocketOnThePort) {
  const NetEntry a = entry(kListen, IPPROTO_TCP), b = entry(kUdp, IPPROTO_UDP);
  NetEntry again = a;
  again.inode = 78;
  EXPECT_EQ(fingerprint({a, b}), fingerprint({b, a}));
  EXPECT_NE(fingerprint({a, b}), fingerprint({again, b}));
  EXPECT_NE(fingerprint({a}), fingerprint({a, b}));
}

}  // namespace
}  // namespace picket::agent
