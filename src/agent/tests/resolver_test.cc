#include "agent/resolver.h"

#include <atomic>
#include <optional>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/core/file.h"

namespace picket::agent {
namespace {

/// Answers on loopback: A for hub.test, AAAA for six.test, SERVFAIL for ill.test, NXDOMAIN for everything else.
class NameServer {
 public:
  NameServer() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), length);
    ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~NameServer() {
    stop_ = true;
    thread_.join();
  }
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int questions() const { return questions_; }

 private:
  void serve() {
    while (!stop_) {
      pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      char bytes[512];
      sockaddr_in from{};
      socklen_t length = sizeof from;
      const ssize_t n = ::recvfrom(fd_.get(), bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &length);
      if (n < 17) continue;
      ++questions_;
      const std::string reply = answer(std::string(bytes, static_cast<std::size_t>(n)));
      ::sendto(fd_.get(), reply.data(), reply.size(), 0, reinterpret_cast<const sockaddr*>(&from), length);
    }
  }

  /// RFC 1035, 4.1: header, the question again, at most one record that names it by a pointer.
  static std::string answer(const std::string& query) {
    std::string name;
    std::size_t at = 12;
    while (query[at] != '\0') {
      const auto label = static_cast<std::size_t>(query[at]);
      name += query.substr(at + 1, label) + ".";
      at += label + 1;
    }
    const int type = query[at + 2];
    const std::string question = query.substr(12, at + 5 - 12);
    const bool v4 = name == "hub.test.", v6 = name == "six.test.";
    const bool record = (v4 && type == 1) || (v6 && type == 28);
    const int code = v4 || v6 ? 0 : name == "ill.test." ? 2 : 3;
    std::string out = query.substr(0, 2) + "\x81";
    out += static_cast<char>(0x80 | code);
    out += std::string("\0\1\0", 3) + static_cast<char>(record ? 1 : 0) + std::string(4, '\0') + question;
    if (!record) return out;
    out += std::string("\xc0\x0c\0", 3) + static_cast<char>(type) + std::string("\0\1\0\0\0\x3c\0", 7);
    return out + (v4 ? std::string("\x04\x0a\x01\x02\x03", 5) : "\x10" + std::string(15, '\0') + "\x09");
  }

  UniqueFd fd_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<int> questions_{0};
  std::thread thread_;
};

class ResolverTest : public ::testing::Test {
 protected:
  Result<std::vector<IpAddress>> ask(const std::string& host) {
    std::optional<Result<std::vector<IpAddress>>> answer;
    resolver_.resolve(host, [&](Result<std::vector<IpAddress>> found) { answer = std::move(found); });
    const Duration end = system_clock().monotonic() + Duration::seconds(30);
    while (!answer && system_clock().monotonic() < end) {
      if (!loop_.run_once(Duration::milliseconds(50))) break;
    }
    return answer ? *std::move(answer) : fail(Errc::internal, "test.no_answer");
  }

  NameServer server_;
  EventLoop loop_ = *EventLoop::create(system_clock());
  Resolver resolver_{loop_, server_.address()};
};

TEST_F(ResolverTest, AsksTheServerForBothFamilies) {
  const auto four = ask("hub.test"), six = ask("six.test");
  ASSERT_TRUE(four);
  EXPECT_EQ(*four, (std::vector{IpAddress{{10, 1, 2, 3}, 4}}));
  ASSERT_TRUE(six);
  ASSERT_EQ(six->size(), 1u);
  EXPECT_EQ(six->front().length, 16);
  EXPECT_EQ(six->front().bytes[15], 9);
  EXPECT_GE(server_.questions(), 4);
}

TEST_F(ResolverTest, ANameThatIsNotThereAndAServerThatFailsAreToldApart) {
  const auto absent = ask("absent.test"), ill = ask("ill.test");
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, Errc::not_found);
  ASSERT_FALSE(ill);
  EXPECT_EQ(ill.error().code, Errc::unavailable);
  EXPECT_TRUE(ask("hub.test")) << "an error is of its question only";
}

TEST_F(ResolverTest, WhatIsKnownHereAsksNobody) {
  EXPECT_TRUE(ask("192.0.2.1"));
  EXPECT_TRUE(ask("localhost"));
  EXPECT_EQ(server_.questions(), 0);
}

TEST_F(ResolverTest, ACancelledQuestionStaysSilent) {
  bool called = false;
  resolver_.resolve("hub.test", [&](const auto&) { called = true; });
  resolver_.cancel();
  EXPECT_TRUE(ask("six.test"));
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace picket::agent
