#include "agent/service_manager.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace picket::agent {
namespace {

constexpr long kPid = 4711;

/// The manager's end: a datagram socket with a name of its own.
class Manager {
 public:
  explicit Manager(bool abstract) {
    if (!abstract) {
      char pattern[] = "/tmp/picket-notify-XXXXXX";
      EXPECT_NE(::mkdtemp(pattern), nullptr);
      directory_ = pattern;
    }
    name_ = abstract ? "@picket-notify-test-" + std::to_string(::getpid()) : directory_ + "/notify";
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::copy(name_.begin(), name_.end(), at.sun_path);
    if (abstract) at.sun_path[0] = '\0';
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const auto bytes = offsetof(sockaddr_un, sun_path) + name_.size() + (abstract ? 0 : 1);
    EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&at), static_cast<socklen_t>(bytes)), 0);
  }
  ~Manager() {
    if (directory_.empty()) return;
    ::unlink(name_.c_str());
    ::rmdir(directory_.c_str());
  }
  /// The next datagram, which is there as soon as it was sent; "" for none.
  std::string next() const {
    char buffer[1024];
    const auto bytes = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    return bytes < 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(bytes));
  }
  const std::string& name() const { return name_; }

 private:
  std::string directory_, name_;
  UniqueFd socket_;
};

class NotifySocketTest : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(PathAndAbstractName, NotifySocketTest, ::testing::Bool());

TEST_P(NotifySocketTest, TellsTheWholeLifeInOrder) {
  const Manager manager(GetParam());
  ServiceManager service({.notify_socket = manager.name()}, kPid);
  ASSERT_TRUE(service.present());
  service.ready();
  service.status("connected to hub");
  service.alive();
  service.stopping();
  EXPECT_EQ(manager.next(), "READY=1");
  EXPECT_EQ(manager.next(), "STATUS=connected to hub");
  EXPECT_EQ(manager.next(), "WATCHDOG=1");
  EXPECT_EQ(manager.next(), "STOPPING=1");
  EXPECT_EQ(manager.next(), "");
}

TEST(ServiceManagerTest, StatusIsOneBoundedLine) {
  const Manager manager(true);
  ServiceManager service({.notify_socket = manager.name()}, kPid);
  service.status("refused\nREADY=1\x01" + std::string(1000, 'x'));
  const std::string got = manager.next();
  EXPECT_EQ(got.size(), std::string_view("STATUS=").size() + ServiceManager::kStatusBytesMax);
  EXPECT_TRUE(got.starts_with("STATUS=refused READY=1 x")) << got;
}

TEST(ServiceManagerTest, IsSilentWithoutAManager) {
  ServiceManager service({}, kPid);
  EXPECT_FALSE(service.present());
  EXPECT_EQ(service.alive_every(), std::nullopt);
  service.ready();
}

TEST(ServiceManagerTest, GoesOnWhenTheManagerIsGone) {
  std::string name;
  {
    const Manager manager(false);
    name = manager.name();
  }
  ServiceManager service({.notify_socket = name, .watchdog_usec = "60000000"}, kPid);
  service.ready();
  EXPECT_TRUE(service.present());
}

TEST(ServiceManagerTest, RejectsNamesThatAreNoSocket) {
  for (const std::string& name : {std::string("relative"), std::string("@"), std::string("/"), std::string("vsock:2:1"),
                                  "/" + std::string(sizeof(sockaddr_un::sun_path), 'a')}) {
    EXPECT_FALSE(ServiceManager({.notify_socket = name, .watchdog_usec = "60000000"}, kPid).present()) << name;
  }
}

TEST(ServiceManagerTest, IsAliveTwiceInTheTimeThatTheManagerWaits) {
  const auto every = [](std::string_view usec, std::string_view pid) {
    return ServiceManager({.notify_socket = "@picket-nobody", .watchdog_usec = usec, .watchdog_pid = pid}, kPid)
        .alive_every();
  };
  EXPECT_EQ(every("60000000", ""), Duration::seconds(30));
  EXPECT_EQ(every("60000000", "4711"), Duration::seconds(30));
  EXPECT_EQ(every("60000000", "4712"), std::nullopt);  // meant for a process that started us
  EXPECT_EQ(every("1000", ""), Duration::milliseconds(100));
  for (const std::string_view broken : {"", "0", "-1", "60s", "9223372036854775807", "99999999999999999999"}) {
    EXPECT_EQ(every(broken, ""), std::nullopt) << broken;
  }
}

}  // namespace
}  // namespace picket::agent
