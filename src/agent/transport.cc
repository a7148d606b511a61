#include "agent/transport.h"

#include <cerrno>
#include <cstring>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/event_encoder.h"
#include "base/core/file.h"
#include "http_head.h"
#include "websocket_layer.h"

namespace picket::agent {
namespace {

constexpr std::uint16_t kHttpsPort = 443;

sockaddr_storage make_address(const IpAddress& address, std::uint16_t port, socklen_t& length) {
  sockaddr_storage out{};
  if (address.length == 4) {
    sockaddr_in in{.sin_family = AF_INET, .sin_port = htons(port)};
    std::memcpy(&in.sin_addr, address.bytes.data(), 4);
    std::memcpy(&out, &in, sizeof in);
    length = sizeof in;
  } else {
    sockaddr_in6 in{.sin6_family = AF_INET6, .sin6_port = htons(port)};
    std::memcpy(&in.sin6_addr, address.bytes.data(), 16);
    std::memcpy(&out, &in, sizeof in);
    length = sizeof in;
  }
  return out;
}

std::string proxy_refusal(const HttpHead& answer) {
  const std::string status = std::to_string(answer.status) + " " + std::string(answer.reason.substr(0, 100));
  if (answer.status == 407) return "the proxy wants other credentials (" + status + "): check uplink.proxy";
  return "the proxy does not connect to the hub (" + status + ")";
}

}  // namespace

struct Transport::Impl {
  enum class Stage : std::uint8_t { closed, resolving, connecting, tunnelling, securing, upgrading, open };

  Impl(EventLoop& on, Owner& whose) : loop(on), owner(whose), resolver(on) {}
  ~Impl() { close(); }

  void open(Route wanted, std::shared_ptr<TlsContext> with);
  void close();
  void try_next_address();
  void on_events();
  void on_tcp();
  void on_connected();
  void on_tunnel();
  bool send_request();
  void secure();
  void on_handshake();
  void on_upgrade();
  void enter(Stage next, UplinkState state) {
    stage = next;
    owner.on_stage(state);
  }
  void fail(UplinkProblem problem, std::string reason) {
    close();
    owner.on_failed(problem, std::move(reason));
  }
  [[nodiscard]] const HostPort& peer() const { return route.proxy ? route.proxy->address : route.hub; }

  EventLoop& loop;
  Owner& owner;
  Resolver resolver;
  Stage stage = Stage::closed;
  Route route;
  std::shared_ptr<TlsContext> context;
  std::vector<IpAddress> addresses;  ///< Not tried yet.
  IpAddress address;                 ///< Being tried.
  UniqueFd fd;
  std::string request;  ///< To the proxy, what is not sent yet.
  std::unique_ptr<TlsSession> tls;
  std::unique_ptr<WebSocketLayer> websocket;
  TlsWait write_wait = TlsWait::none;
};

void Transport::Impl::open(Route wanted, std::shared_ptr<TlsContext> with) {
  route = std::move(wanted);
  context = std::move(with);
  enter(Stage::resolving, UplinkState::resolving);
  resolver.resolve(peer().host, [this](Result<std::vector<IpAddress>> found) {
    if (!found) {
      const std::string who = route.proxy ? "uplink.proxy" : "HostName in the connection string";
      return fail(UplinkProblem::name, found.error().code == Errc::not_found
                                           ? "there is no host '" + peer().host + "' (check " + who + ")"
                                           : "no name server answered for '" + peer().host + "'");
    }
    addresses = *std::move(found);
    try_next_address();
  });
}

void Transport::Impl::close() {
  resolver.cancel();
  if (fd.valid()) loop.remove(fd.get());
  websocket.reset();
  tls.reset();
  context.reset();
  fd.reset();
  request.clear();
  write_wait = TlsWait::none;
  stage = Stage::closed;
}

void Transport::Impl::try_next_address() {
  address = addresses.front();
  addresses.erase(addresses.begin());
  enter(Stage::connecting, UplinkState::connecting);
  fd.reset(::socket(address.length == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Messages are written whole: waiting for more to fill a packet only delays them.
  const int yes = 1;
  if (fd.valid()) ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  socklen_t length = 0;
  const sockaddr_storage to = make_address(address, peer().port, length);
  const bool begun =
      fd.valid() &&
      (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), length) == 0 || errno == EINPROGRESS) &&
      loop.add(fd.get(), EPOLLOUT, [this](std::uint32_t) { on_events(); }).has_value();
  if (begun) return;
  const std::string reason = std::strerror(errno);
  fd.reset();
  if (!addresses.empty()) return try_next_address();
  fail(UplinkProblem::network,
       "cannot reach " + format_address(address) + " port " + std::to_string(peer().port) + ": " + reason);
}

void Transport::Impl::on_events() {
  switch (stage) {
    case Stage::closed:
    case Stage::resolving:
      return;
    case Stage::connecting:
      return on_tcp();
    case Stage::tunnelling:
      return on_tunnel();
    case Stage::securing:
      return on_handshake();
    case Stage::upgrading:
      return on_upgrade();
    case Stage::open:
      return owner.on_ready();
  }
}

void Transport::Impl::on_tcp() {
  int why = 0;
  socklen_t why_length = sizeof why;
  ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &why, &why_length);
  if (why == 0) return on_connected();
  loop.remove(fd.get());
  fd.reset();
  if (!addresses.empty()) return try_next_address();
  const std::string what = route.proxy ? "cannot reach the proxy " : "cannot reach ";
  fail(UplinkProblem::network,
       what + format_address(address) + " port " + std::to_string(peer().port) + ": " + std::strerror(why));
}

void Transport::Impl::on_connected() {
  if (!route.proxy) return secure();
  request = proxy_request(*route.proxy, route.hub);
  enter(Stage::tunnelling, UplinkState::tunnelling);
  if (send_request()) loop.change(fd.get(), request.empty() ? EPOLLIN : EPOLLOUT);
}

/// False: the attempt has ended.
bool Transport::Impl::send_request() {
  while (!request.empty()) {
    const ssize_t n = ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (n < 0) return fail(UplinkProblem::proxy, "the proxy closed the connection"), false;
    request.erase(0, static_cast<std::size_t>(n));
  }
  return true;
}

void Transport::Impl::on_tunnel() {
  if (!request.empty()) {
    if (send_request() && request.empty()) loop.change(fd.get(), EPOLLIN);
    return;
  }
  // Only looked at: what stands behind the answer is TLS's.
  std::array<char, kHttpHeadBytesMax> bytes;
  const ssize_t n = ::recv(fd.get(), bytes.data(), bytes.size(), MSG_PEEK);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) return fail(UplinkProblem::proxy, "the proxy closed the connection without an answer");
  const std::string_view received(bytes.data(), static_cast<std::size_t>(n));
  const auto answer = parse_http_head(received);
  if (!answer) return fail(UplinkProblem::proxy, "the answer of the proxy is no HTTP: " + describe(answer.error()));
  // A proxy that sends half a head and waits would keep this ready for ever; the next byte has to make a difference.
  const int wanted = *answer ? 1 : static_cast<int>(received.size()) + 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof wanted);
  if (!*answer) return;
  if ((*answer)->status / 100 != 2) return fail(UplinkProblem::proxy, proxy_refusal(**answer));
  (void)::recv(fd.get(), bytes.data(), (*answer)->bytes, 0);
  secure();
}

void Transport::Impl::secure() {
  enter(Stage::securing, UplinkState::securing);
  auto session = context->connect(fd.get(), route.hub.host);
  if (!session) return fail(UplinkProblem::tls, "TLS cannot start: " + describe(session.error()));
  tls = *std::move(session);
  on_handshake();
}

void Transport::Impl::on_handshake() {
  const auto wait = tls->handshake();
  if (!wait) {
    const auto problem = wait.error().code == Errc::denied ? UplinkProblem::certificate : UplinkProblem::tls;
    return fail(problem, tls->problem());
  }
  if (*wait != TlsWait::none) return loop.change(fd.get(), *wait == TlsWait::read ? EPOLLIN : EPOLLOUT);
  if (!route.websocket) {
    stage = Stage::open;
    return owner.on_open();
  }
  HostPort host = route.hub;
  const std::string name = host.port == kHttpsPort ? host.host : format_host_port(host);
  websocket = std::make_unique<WebSocketLayer>(*tls, name);
  enter(Stage::upgrading, UplinkState::upgrading);
  on_upgrade();
}

void Transport::Impl::on_upgrade() {
  const auto wait = websocket->handshake();
  if (!wait) {
    return fail(UplinkProblem::protocol, websocket->problem().empty()
                                             ? "the connection broke: " + describe(wait.error())
                                             : websocket->problem());
  }
  if (*wait != TlsWait::none) return loop.change(fd.get(), *wait == TlsWait::read ? EPOLLIN : EPOLLOUT);
  stage = Stage::open;
  owner.on_open();
}

Transport::Transport(EventLoop& loop, Owner& owner) : impl_(std::make_unique<Impl>(loop, owner)) {}
Transport::~Transport() = default;
void Transport::open(Route route, std::shared_ptr<TlsContext> tls) { impl_->open(std::move(route), std::move(tls)); }
void Transport::close() { impl_->close(); }
Endpoint Transport::address() const { return {impl_->address, impl_->peer().port}; }

void Transport::leave() {
  if (impl_->websocket) impl_->websocket->close();
  if (impl_->tls) impl_->tls->close();
  impl_->close();
}

Result<TlsSession::Progress> Transport::read(std::span<std::byte> out) {
  return impl_->websocket ? impl_->websocket->read(out) : impl_->tls->read(out);
}

Result<TlsSession::Progress> Transport::write(Bytes bytes) {
  auto progress = impl_->websocket ? impl_->websocket->write(bytes) : impl_->tls->write(bytes);
  if (progress) impl_->write_wait = progress->wait;
  return progress;
}

void Transport::watch(bool pending) {
  if (impl_->websocket) pending = pending || impl_->websocket->pending();
  const bool write = pending && impl_->write_wait != TlsWait::read;
  impl_->loop.change(impl_->fd.get(), EPOLLIN | (write ? std::uint32_t{EPOLLOUT} : 0U));
}

bool Transport::is_open() const { return impl_->stage == Impl::Stage::open; }
std::string Transport::tls_version() const { return impl_->tls ? impl_->tls->version() : std::string(); }

}  // namespace picket::agent
