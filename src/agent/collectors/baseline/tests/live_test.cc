// What only a running system can be asked: its packet filter, its sockets, its kernel, in a network of the test's own.
#include "tests/live.h"

#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "baseline/run.h"
#include "baseline/tests/content_writer.h"
#include "tests/network_namespace.h"

namespace picket::agent::baseline {
namespace {

class BaselineLive : public testing::Test {
 protected:
  void SetUp() override {
    PICKET_NEEDS_ROOT();
    network_.emplace();
    ASSERT_TRUE(network_->entered());
  }
  static State state_of(ContentWriter& content, const std::string& tree) {
    content.rule("X-1", tree);
    const std::string file = content.file();
    const auto read = Content::read(as_bytes(file));
    const auto root = Root::open("/");
    State out = State::error;
    BaselineRun run(*root, {*read}, {}, [&](const Rule&, const Verdict& verdict) { out = verdict.state; });
    while (run.step()) {
    }
    return out;
  }
  static State denies(const char* hook, const char* family) {
    ContentWriter content;
    return state_of(content, content.call("firewall", {{"what", "default"}, {"hook", hook}, {"families", family}}));
  }
  static State closed(std::uint16_t port) {
    ContentWriter content;
    return state_of(content, content.call_with_number("listening", "port", port));
  }
  void nft(const std::string& text) {
    files_.write("/rules", text);
    ASSERT_EQ(std::system(("/usr/sbin/nft -f " + files_.path() + "/rules").c_str()), 0) << text;
  }
  /// A listening socket on a port of the kernel's choice.
  static UniqueFd listen_on(in_addr_t address, std::uint16_t& port) {
    UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in name{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {htonl(address)}, .sin_zero = {}};
    socklen_t length = sizeof name;
    EXPECT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&name), length), 0);
    EXPECT_EQ(listen(fd.get(), 1), 0);
    EXPECT_EQ(getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &length), 0);
    port = ntohs(name.sin_port);
    return fd;
  }

  std::optional<NetworkNamespace> network_;
  TestRoot files_;
};

TEST_F(BaselineLive, APolicyThatDropsIsSeenForItsHookAndFamily) {
  EXPECT_EQ(denies("input", "inet"), State::fail);
  nft("table inet t { chain i { type filter hook input priority 0; policy drop; iif lo accept; }\n}\n");
  EXPECT_EQ(denies("input", "inet"), State::pass);
  EXPECT_EQ(denies("input", "ip6"), State::fail);
  EXPECT_EQ(denies("output", "inet"), State::fail);
}

TEST_F(BaselineLive, ALastRuleThatDropsAllIsAsGoodAsAPolicy) {
  nft("table inet t { chain i { type filter hook input priority 0; policy accept; tcp dport 22 accept; drop; }\n}\n");
  EXPECT_EQ(denies("input", "inet"), State::pass);
}

TEST_F(BaselineLive, ALastRuleThatDropsSomeIsNot) {
  nft("table inet t { chain i { type filter hook input priority 0; policy accept; iifname \"x\" drop; }\n}\n");
  EXPECT_EQ(denies("input", "inet"), State::fail);
  nft("flush ruleset\ntable inet t { chain i { type filter hook input priority 0; tcp dport 23 drop; }\n}\n");
  EXPECT_EQ(denies("input", "inet"), State::fail);
}

TEST_F(BaselineLive, ABridgeIsNotTheNetworkLayer) {
  nft("table bridge t { chain i { type filter hook input priority 0; policy drop; }\n}\n");
  EXPECT_EQ(denies("input", "inet"), State::fail);
  EXPECT_EQ(denies("input", "ip"), State::fail);
}

TEST_F(BaselineLive, ASocketIsOpenToTheNetworkUnlessItIsOnLoopback) {
  std::uint16_t port = 0;
  {
    const UniqueFd socket = listen_on(INADDR_LOOPBACK, port);
    EXPECT_EQ(closed(port), State::pass);
  }
  {
    const UniqueFd socket = listen_on(INADDR_ANY, port);
    EXPECT_EQ(closed(port), State::fail);
  }
  EXPECT_EQ(closed(port), State::pass);
}

}  // namespace
}  // namespace picket::agent::baseline
