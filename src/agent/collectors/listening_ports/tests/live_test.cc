// Opens and closes real sockets in a network namespace of its own, once per tier.
#include "tests/live.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/core/file.h"

namespace picket::agent {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::uint16_t kTcpPort = 4711, kUdpPort = 4712;

UniqueFd open_socket(int family, int type, std::uint16_t port) {
  UniqueFd fd(socket(family, type | SOCK_CLOEXEC, 0));
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  sockaddr_in6 v6{.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_ANY_INIT};
  const void* const address = family == AF_INET ? static_cast<const void*>(&v4) : &v6;
  const socklen_t length = family == AF_INET ? sizeof v4 : sizeof v6;
  if (bind(fd.get(), static_cast<const sockaddr*>(address), length) != 0) return {};
  if (type == SOCK_STREAM && listen(fd.get(), 4) != 0) return {};
  return fd;
}

std::string own_path() {
  char path[4096];
  const ssize_t n = readlink("/proc/self/exe", path, sizeof path);
  return {path, n > 0 ? static_cast<std::size_t>(n) : 0};
}

class ListeningPortsLive : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    PICKET_NEEDS_ROOT();
    // Sockets of this namespace only; the test's own threads are the only ones in it.
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
  }
  CollectorSettings settings() const {
    CollectorSettings out;
    out.procfs = "/proc";
    out.choose("listening_ports").tier = GetParam();
    out.choose("listening_ports").every = Duration::milliseconds(50);
    return out;
  }
  static std::string all_items(const Recorder& sink, std::size_t from = 0) {
    std::string out;
    for (std::size_t i = from; i < sink.events.size(); ++i) out += sink.events[i].items + "\n";
    return out;
  }
};

TEST_P(ListeningPortsLive, AllAtFirstThenWhatOpensAndCloses) {
  const UniqueFd tcp = open_socket(AF_INET, SOCK_STREAM, kTcpPort);
  UniqueFd udp = open_socket(AF_INET6, SOCK_DGRAM, kUdpPort);
  ASSERT_TRUE(tcp.valid() && udp.valid());
  Bench bench("listening_ports", settings());
  ASSERT_TRUE(bench.collector.start());
  ASSERT_TRUE(bench.run_until([&] { return !bench.sink.events.empty(); }));
  const KeptEvent first = bench.sink.events[0];
  EXPECT_EQ(first.record.event.name, "ListeningPorts");
  EXPECT_EQ(first.record.priority, Priority::low);
  const std::string process = R"("ProcessId":)" + std::to_string(getpid()) + R"(,"Executable":")" + own_path() +
                              R"(","UserId":"0","Source":")" + GetParam() + R"("})";
  EXPECT_THAT(
      first.items,
      HasSubstr(R"({"LocalPort":"4711","Protocol":"tcp","LocalAddress":"127.0.0.1","State":"LISTEN",)" + process));
  EXPECT_THAT(first.items,
              HasSubstr(R"({"LocalPort":"4712","Protocol":"udp","LocalAddress":"::","State":"UNCONN",)" + process));
  EXPECT_THAT(first.items, Not(HasSubstr("Change")));

  const std::size_t before = bench.sink.events.size();
  const UniqueFd opened = open_socket(AF_INET6, SOCK_STREAM, 4713);
  udp.reset();
  ASSERT_TRUE(opened.valid());
  ASSERT_TRUE(bench.run_until([&] {
    const std::string news = all_items(bench.sink, before);
    return news.contains("4713") && news.contains("4712");
  })) << all_items(bench.sink, before);
  const std::string news = all_items(bench.sink, before);
  EXPECT_THAT(news, HasSubstr(R"({"LocalPort":"4713","Protocol":"tcp","LocalAddress":"::")"));
  EXPECT_THAT(news, HasSubstr(R"("ExtraDetails":{"Change":"added"})"));
  EXPECT_THAT(news,
              HasSubstr(R"({"LocalPort":"4712","Protocol":"udp","LocalAddress":"::","Executable":")" + own_path() +
                        R"(","UserId":"0","Source":")" + GetParam() + R"(","ExtraDetails":{"Change":"removed"}})"));
  EXPECT_THAT(news, Not(HasSubstr("4711"))) << "what did not change is not sent again";
  EXPECT_EQ(bench.sink.events.back().record.priority, Priority::high);
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
}

TEST_P(ListeningPortsLive, NoSocketIsAnEmptyEvent) {
  Bench bench("listening_ports", settings());
  ASSERT_TRUE(bench.collector.start());
  ASSERT_TRUE(bench.run_until([&] { return !bench.sink.events.empty(); }));
  EXPECT_EQ(bench.sink.events[0].items, "");
}

INSTANTIATE_TEST_SUITE_P(Tiers, ListeningPortsLive, testing::Values("sock_diag", "procfs"));

}  // namespace
}  // namespace picket::agent
