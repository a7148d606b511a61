#include "agent/control.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace picket::agent {
namespace {

constexpr std::size_t kAnswerBytesMax = 256 << 10;

Result<sockaddr_un> socket_address(const std::string& path) {
  sockaddr_un address{.sun_family = AF_UNIX};
  if (path.size() >= sizeof address.sun_path) return fail(Errc::limit_exceeded, "agent.control.path");
  std::ranges::copy(path, address.sun_path);
  return address;
}

}  // namespace

ControlServer::~ControlServer() {
  for (const Client& client : clients_) loop_.remove(client.fd.get());
  if (!socket_.valid()) return;
  loop_.remove(socket_.get());
  ::unlink(path_.c_str());
}

Result<> ControlServer::listen(const std::string& path, OnRequest on_request) {
  TRY(const sockaddr_un address, socket_address(path));
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return fail_errno("agent.control.socket");
  ::unlink(path.c_str());
  const mode_t before = ::umask(0177);  // 0600 from its first moment
  const int bound = ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(before);
  if (bound != 0 || ::listen(socket.get(), kClientsMax) != 0) return fail_errno("agent.control.bind");
  TRY_VOID(loop_.add(socket.get(), EPOLLIN, [this](std::uint32_t) { accept_one(); }));
  socket_ = std::move(socket);
  path_ = path;
  on_request_ = std::move(on_request);
  return {};
}

void ControlServer::accept_one() {
  UniqueFd fd(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd.valid()) return;
  drop_late();
  if (clients_.size() == kClientsMax) return;  // closed at once: the client sees the end
  const std::uint64_t id = next_id_++;
  if (!loop_.add(fd.get(), EPOLLIN, [this, id](std::uint32_t events) { on_ready(id, events); })) return;
  clients_.push_back({id, std::move(fd), {}, loop_.clock().monotonic() + kClientTimeout});
}

void ControlServer::on_ready(std::uint64_t id, std::uint32_t events) {
  const auto client = std::ranges::find(clients_, id, &Client::id);
  if (client != clients_.end() && (events & EPOLLOUT) != 0) flush(*client);
  if ((events & ~EPOLLOUT) != 0) on_readable(id);
}

void ControlServer::on_readable(std::uint64_t id) {
  const auto client = std::ranges::find(clients_, id, &Client::id);
  if (client == clients_.end()) return;
  char bytes[kRequestBytesMax];
  const ssize_t n = ::read(client->fd.get(), bytes, sizeof bytes);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return drop(id);
  if (client->streams) return;  // it has asked already
  client->request.append(bytes, static_cast<std::size_t>(n));
  const auto end = client->request.find('\n');
  if (end == std::string::npos) {
    if (client->request.size() > kRequestBytesMax) drop(id);
    return;
  }
  const std::string request = client->request.substr(0, end);
  on_request_(id, request);
}

void ControlServer::reply(std::uint64_t id, std::string_view text) {
  const auto client = std::ranges::find(clients_, id, &Client::id);
  if (client == clients_.end()) return;
  // One write: a Unix socket takes an answer of this size whole, and a client that does not read gets a part.
  (void)::send(client->fd.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  drop(id);
}

bool ControlServer::connected(std::uint64_t id) const {
  return std::ranges::find(clients_, id, &Client::id) != clients_.end();
}

bool ControlServer::stream(std::uint64_t id, std::string_view text) {
  const auto client = std::ranges::find(clients_, id, &Client::id);
  if (client == clients_.end()) return false;
  client->streams = true;
  // One text may be longer than the bound when nothing else waits: a snapshot is not lost to every reader.
  if (!client->pending.empty() && client->pending.size() + text.size() > kStreamBytesMax) return false;
  client->pending += text;
  flush(*client);
  return true;
}

/// What the socket takes now. A client that has gone is found by its next read.
void ControlServer::flush(Client& client) {
  const ssize_t n = ::send(client.fd.get(), client.pending.data(), client.pending.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n > 0) client.pending.erase(0, static_cast<std::size_t>(n));
  if (client.pending.empty()) client.pending.shrink_to_fit();
  loop_.change(client.fd.get(), EPOLLIN | (client.pending.empty() ? 0U : std::uint32_t{EPOLLOUT}));
}

void ControlServer::drop(std::uint64_t id) {
  const auto client = std::ranges::find(clients_, id, &Client::id);
  if (client == clients_.end()) return;
  loop_.remove(client->fd.get());
  clients_.erase(client);
}

void ControlServer::drop_late() {
  const Duration now = loop_.clock().monotonic();
  std::vector<std::uint64_t> late;
  for (const Client& client : clients_) {
    if (client.deadline <= now && !client.streams) late.push_back(client.id);
  }
  for (const std::uint64_t id : late) drop(id);
}

namespace {

/// Connects to the agent and asks.
Result<UniqueFd> send_request(const std::string& path, std::string_view request) {
  TRY(const sockaddr_un address, socket_address(path));
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return fail_errno("agent.control.socket");
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EACCES || errno == EPERM) return fail(Errc::denied, "agent.control.connect");
    return fail(Errc::unavailable, "agent.control.connect");
  }
  const std::string line = std::string(request) + "\n";
  if (::send(fd.get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) return fail_errno("agent.control.send");
  return fd;
}

}  // namespace

Result<> follow_agent(const std::string& path, std::string_view request,
                      const std::function<bool(std::string_view line)>& on_line) {
  TRY(const UniqueFd fd, send_request(path, request));
  std::string text;
  for (;;) {
    char bytes[4096];
    const ssize_t n = ::read(fd.get(), bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("agent.control.read");
    if (n == 0) return {};
    text.append(bytes, static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
      if (!on_line(std::string_view(text).substr(begin, end - begin))) return {};
      begin = end + 1;
    }
    text.erase(0, begin);
    if (text.size() > 1 << 20) return fail(Errc::limit_exceeded, "agent.control.line");
  }
}

Result<std::string> ask_agent(const std::string& path, std::string_view request, Duration patience) {
  TRY(const UniqueFd fd, send_request(path, request));
  const Duration end = system_clock().monotonic() + patience;
  std::string answer;
  for (;;) {
    const Duration left = end - system_clock().monotonic();
    if (left.us <= 0) return fail(Errc::truncated, "agent.control.answer");
    pollfd waited{.fd = fd.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&waited, 1, static_cast<int>(std::min<std::int64_t>(left.whole_ms() + 1, 1'000)));
    if (ready < 0 && errno != EINTR) return fail_errno("agent.control.poll");
    if (ready <= 0) continue;
    char bytes[4096];
    const ssize_t n = ::read(fd.get(), bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("agent.control.read");
    if (n == 0) break;
    answer.append(bytes, static_cast<std::size_t>(n));
    if (answer.size() > kAnswerBytesMax) return fail(Errc::limit_exceeded, "agent.control.answer");
  }
  if (answer.empty()) return fail(Errc::truncated, "agent.control.answer");
  return answer;
}

}  // namespace picket::agent
