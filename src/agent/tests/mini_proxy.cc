#include "mini_proxy.h"

#include <cstdlib>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/core/encoding.h"

namespace picket::agent::test {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in out{.sin_family = AF_INET, .sin_port = htons(port)};
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

/// False: the end.
bool copy(int from, int to) {
  char bytes[16'384];
  const ssize_t n = ::recv(from, bytes, sizeof bytes, 0);
  for (ssize_t at = 0; at < n;) {
    const ssize_t sent = ::send(to, bytes + at, static_cast<std::size_t>(n - at), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    at += sent;
  }
  return n > 0;
}

}  // namespace

MiniProxy::MiniProxy(Behaviour behaviour) : behaviour_(std::move(behaviour)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = loopback(0);
  if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) std::abort();
  ::listen(listener_, 8);
  socklen_t length = sizeof address;
  ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

MiniProxy::~MiniProxy() {
  stop_ = true;
  thread_.join();
  ::close(listener_);
}

void MiniProxy::serve() {
  while (!stop_) {
    pollfd waited{.fd = listener_, .events = POLLIN, .revents = 0};
    if (::poll(&waited, 1, 20) <= 0) continue;
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    serve_one(fd);
    ::close(fd);
  }
}

std::string MiniProxy::answer_to(const std::string& head, std::uint16_t& target) {
  const std::string to = head.substr(8, head.find(' ', 8) - 8);
  {
    const std::lock_guard lock(mutex_);
    asked_.push_back(to);
  }
  if (!behaviour_.refuse.empty()) return behaviour_.refuse;
  if (!behaviour_.credentials.empty() &&
      !head.contains("\r\nProxy-Authorization: Basic " + to_base64(as_bytes(behaviour_.credentials)) + "\r\n")) {
    return "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n";
  }
  target = static_cast<std::uint16_t>(std::strtoul(to.c_str() + to.rfind(':') + 1, nullptr, 10));
  return "HTTP/1.0 200 Connection established\r\nVia: 1.0 test\r\n\r\n";
}

void MiniProxy::serve_one(int fd) {
  std::string head;
  char byte = 0;
  while (!head.ends_with("\r\n\r\n")) {
    if (::recv(fd, &byte, 1, 0) != 1) return;
    head.push_back(byte);
  }
  std::uint16_t target = 0;
  const std::string answer = answer_to(head, target);
  const std::size_t step = behaviour_.dribble ? 1 : answer.size();
  for (std::size_t at = 0; at < answer.size(); at += step) ::send(fd, answer.data() + at, step, MSG_NOSIGNAL);
  const int other = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(target);
  if (target != 0 && ::connect(other, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    while (!stop_) {
      pollfd both[2] = {{.fd = fd, .events = POLLIN, .revents = 0}, {.fd = other, .events = POLLIN, .revents = 0}};
      if (::poll(both, 2, 20) <= 0) continue;
      if (both[0].revents != 0 && !copy(fd, other)) break;
      if (both[1].revents != 0 && !copy(other, fd)) break;
    }
  }
  ::close(other);
}

std::vector<std::string> MiniProxy::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

}  // namespace picket::agent::test
