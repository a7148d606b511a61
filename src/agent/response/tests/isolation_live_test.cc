// Isolation in a network of the test's own: what still leaves the device, and for how long.
#include <cerrno>
#include <filesystem>

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "../isolation.h"
#include "agent/hardening.h"
#include "tests/live.h"
#include "tests/network_namespace.h"

namespace picket::agent {
namespace {

constexpr Timestamp kNow{1'800'000'000'000'000};
constexpr std::string_view kHub = "192.0.2.2", kOther = "192.0.2.3", kNameServer = "192.0.2.4";
constexpr std::uint16_t kHubPort = 8883;

IpAddress address_of(std::string_view text) { return parse_network(text).value().address; }

class IsolationLive : public ::testing::Test {
 protected:
  void SetUp() override {
    PICKET_NEEDS_ROOT();
    ASSERT_TRUE(namespace_.emplace().entered());
    ASSERT_TRUE(NetworkNamespace::add_veth("dev0", "wire0"));
    ASSERT_TRUE(NetworkNamespace::up("wire0"));
    ASSERT_TRUE(set_address("dev0", "192.0.2.1"));
    ASSERT_TRUE(NetworkNamespace::up("dev0"));
    ASSERT_TRUE(without_neighbours("dev0"));
    std::string pattern = ::testing::TempDir() + "picket-isolation-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    const std::string servers = "# a comment\nnameserver " + std::string(kNameServer) + "\n";
    ASSERT_TRUE(replace_file(directory_ + "/resolv.conf", as_bytes(servers)));
    start();
  }
  void TearDown() override {
    isolation_.reset();
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }
  void start() {
    isolation_.reset();
    loop_.emplace(EventLoop::create(clock_).value());
    isolation_ = std::make_unique<Isolation>(
        *loop_,
        Isolation::Places{.state_file = directory_ + "/isolation", .resolv_conf = {directory_ + "/resolv.conf"}},
        [this](bool released, std::string_view, const std::string& text) {
          ends_.push_back((released ? "ended: " : "failed: ") + text);
        });
    isolation_->resume();
  }
  ActionResult isolate(std::string_view arguments) {
    return isolation_->isolate(parse_json(arguments).value(), {address_of(kHub), kHubPort}, "command-1");
  }
  static bool set_address(std::string_view device, const char* address) {
    const UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq request{};
    device.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
    sockaddr_in in{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
    ::inet_pton(AF_INET, address, &in.sin_addr);
    std::memcpy(&request.ifr_addr, &in, sizeof in);
    return ::ioctl(socket.get(), SIOCSIFADDR, &request) == 0;
  }
  /// Without neighbours to ask for, a packet is on the wire, or dropped, when the call returns.
  static bool without_neighbours(std::string_view device) {
    const UniqueFd socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    ifreq request{};
    device.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
    if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) != 0) return false;
    request.ifr_flags |= IFF_NOARP;
    return ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
  }
  /// Whether a packet to this address and port is seen on the wire.
  static bool leaves(int type, std::string_view to, std::uint16_t port) {
    const UniqueFd wire{::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL))};
    const UniqueFd socket{::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    sockaddr_in in{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
    ::inet_pton(AF_INET, std::string(to).c_str(), &in.sin_addr);
    const auto* const name = reinterpret_cast<const sockaddr*>(&in);
    (void)(type == SOCK_STREAM ? ::connect(socket.get(), name, sizeof in)
                               : ::sendto(socket.get(), "x", 1, 0, name, sizeof in));
    constexpr std::size_t kHeader = 20;  // of IPv4, without options
    std::array<std::byte, 256> packet{};
    while (::recv(wire.get(), packet.data(), packet.size(), 0) >= static_cast<ssize_t>(kHeader + 4)) {
      if (std::memcmp(packet.data() + 16, &in.sin_addr, 4) == 0 &&
          std::memcmp(packet.data() + kHeader + 2, &in.sin_port, 2) == 0) {
        return true;
      }
    }
    return false;
  }
  static bool to_hub() { return leaves(SOCK_STREAM, kHub, kHubPort); }
  static bool to_other() { return leaves(SOCK_DGRAM, kOther, 9) || leaves(SOCK_STREAM, kHub, 22); }

  std::optional<NetworkNamespace> namespace_;
  ManualClock clock_{kNow};
  std::optional<EventLoop> loop_;
  std::string directory_;
  std::vector<std::string> ends_;
  std::unique_ptr<Isolation> isolation_;
};

TEST_F(IsolationLive, LetsOnlyTheHubItsNameServersAndWhatIsNamedThrough) {
  ASSERT_TRUE(to_other());
  const ActionResult done = isolate(R"({"durationSeconds":60,"allow":["198.51.100.0/24","192.0.2.7"]})");
  ASSERT_EQ(done.status, 200) << done.message;
  EXPECT_TRUE(to_hub());
  EXPECT_FALSE(to_other());
  EXPECT_TRUE(leaves(SOCK_DGRAM, kNameServer, 53));
  EXPECT_TRUE(leaves(SOCK_STREAM, kNameServer, 53));
  EXPECT_FALSE(leaves(SOCK_DGRAM, kNameServer, 54));
  EXPECT_TRUE(leaves(SOCK_DGRAM, "192.0.2.7", 9));
  EXPECT_FALSE(leaves(SOCK_DGRAM, "192.0.2.6", 9));
  EXPECT_TRUE(leaves(SOCK_DGRAM, "127.0.0.1", 9));
  EXPECT_EQ(isolation_->release().status, 200);
  EXPECT_TRUE(to_other());
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/isolation"));
}

TEST_F(IsolationLive, EndsByItsTime) {
  ASSERT_EQ(isolate(R"({"durationSeconds":60})").status, 200);
  clock_.advance(Duration::seconds(59));
  ASSERT_TRUE(loop_->run_once({}));
  EXPECT_FALSE(to_other());
  clock_.advance(Duration::seconds(2));
  ASSERT_TRUE(loop_->run_once({}));
  EXPECT_TRUE(to_other());
  EXPECT_EQ(ends_, std::vector<std::string>{"ended: the isolation has ended by its time"});
}

TEST_F(IsolationLive, StaysWhileTheAgentIsStoppedAndGoesOnAfterIt) {
  ASSERT_EQ(isolate(R"({"durationSeconds":60})").status, 200);
  isolation_.reset();
  EXPECT_FALSE(to_other());
  start();
  EXPECT_TRUE(isolation_->in_force());
  EXPECT_FALSE(to_other());
  EXPECT_TRUE(to_hub());
}

TEST_F(IsolationLive, IsPutInForceAgainAfterARestartOfTheDevice) {
  ASSERT_EQ(isolate(R"({"durationSeconds":60})").status, 200);
  NftBatch batch = release_batch();  // as a restart does
  ASSERT_TRUE(send_batch(batch));
  ASSERT_TRUE(to_other());
  start();
  EXPECT_FALSE(to_other());
  EXPECT_TRUE(to_hub());
}

TEST_F(IsolationLive, EndsAtTheStartWhenItsTimeIsOver) {
  ASSERT_EQ(isolate(R"({"durationSeconds":60})").status, 200);
  clock_.advance(Duration::hours(1));
  start();
  EXPECT_TRUE(to_other());
  EXPECT_FALSE(isolation_->in_force());
}

TEST_F(IsolationLive, AClockThatWentBackDoesNotProlongIt) {
  ASSERT_EQ(isolate(R"({"durationSeconds":60})").status, 200);
  clock_ = ManualClock(kNow - Duration::days(365));
  start();
  EXPECT_LE(isolation_->until(), clock_.now() + Duration::seconds(60));
}

TEST_F(IsolationLive, DamagedStateReleases) {
  ASSERT_EQ(isolate(R"({"durationSeconds":60})").status, 200);
  ASSERT_TRUE(replace_file(directory_ + "/isolation", as_bytes("{")));
  start();
  EXPECT_TRUE(to_other());
}

TEST_F(IsolationLive, FollowsTheHubToANewAddress) {
  ASSERT_EQ(isolate(R"({"durationSeconds":60})").status, 200);
  EXPECT_FALSE(leaves(SOCK_STREAM, kOther, kHubPort));
  isolation_->hub_at({address_of(kOther), kHubPort});
  EXPECT_TRUE(leaves(SOCK_STREAM, kOther, kHubPort));
  EXPECT_TRUE(to_hub());
}

TEST_F(IsolationLive, WorksWithWhatHardeningLeaves) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (const HardeningPart& part : harden({}, std::vector{directory_})) {
      if (!part.problem.empty()) ::_exit(2);
    }
    if (isolate(R"({"durationSeconds":60})").status != 200 || to_other() || !to_hub()) ::_exit(3);
    if (isolation_->release().status != 200 || !to_other()) ::_exit(4);
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(IsolationLive, RefusesWrongArguments) {
  EXPECT_EQ(isolate(R"({"durationSeconds":0})").status, 400);
  EXPECT_EQ(isolate(R"({"durationSeconds":604801})").status, 400);
  EXPECT_EQ(isolate(R"({"allow":["everything"]})").status, 400);
  EXPECT_EQ(isolate(R"({"allow":["192.0.2.0/33"]})").status, 400);
  EXPECT_FALSE(isolation_->in_force());
  EXPECT_EQ(isolation_->isolate(parse_json("{}").value(), {}, "c").status, 409);
}

}  // namespace
}  // namespace picket::agent
