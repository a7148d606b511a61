#include "agent/resolver.h"

#include <algorithm>
#include <optional>

#include <ares.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/epoll.h>

#include "base/core/file.h"

namespace picket::agent {
namespace {

constexpr std::size_t kHostsBytesMax = 256 << 10;
constexpr int kTimeoutMs = 2'000;
constexpr int kTries = 2;

std::optional<IpAddress> parse_address(const std::string& text) {
  IpAddress out;
  if (::inet_pton(AF_INET, text.c_str(), out.bytes.data()) == 1) {
    out.length = 4;
    return out;
  }
  if (::inet_pton(AF_INET6, text.c_str(), out.bytes.data()) == 1) {
    out.length = 16;
    return out;
  }
  return std::nullopt;
}

bool equal_names(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view next_word(std::string_view& line) {
  constexpr std::string_view kSpace = " \t\r";
  const auto begin = line.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin);
  const std::string_view word = line.substr(0, line.find_first_of(kSpace));
  line.remove_prefix(word.size());
  return word;
}

bool is_localhost(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  return equal_names(host, "localhost") ||
         (host.size() > 10 && equal_names(host.substr(host.size() - 10), ".localhost"));
}

}  // namespace

std::optional<std::vector<IpAddress>> resolve_locally(const std::string& host, std::string_view hosts_file) {
  if (const auto address = parse_address(host)) return std::vector{*address};
  std::vector<IpAddress> out;
  while (!hosts_file.empty() && out.size() < kAddressesMax) {
    std::string_view line = hosts_file.substr(0, hosts_file.find('\n'));
    hosts_file.remove_prefix(std::min(hosts_file.size(), line.size() + 1));
    line = line.substr(0, line.find('#'));
    const auto address = parse_address(std::string(next_word(line)));
    if (!address) continue;
    for (std::string_view name = next_word(line); !name.empty(); name = next_word(line)) {
      if (!equal_names(name, host)) continue;
      out.push_back(*address);
      break;
    }
  }
  if (!out.empty()) return out;
  if (is_localhost(host)) return std::vector{*parse_address("127.0.0.1"), *parse_address("::1")};
  return std::nullopt;
}

struct Resolver::Impl {
  Impl(EventLoop& each, std::string dns_server)
      : loop(each), server(std::move(dns_server)), timer(each.add_timer([this] { process(ARES_SOCKET_BAD, 0); })) {}
  ~Impl() { close(); }

  void close() {
    on_done = nullptr;
    loop.stop_timer(timer);
    if (channel == nullptr) return;
    ::ares_destroy(channel);  // calls back with ARES_EDESTRUCTION, and closes its sockets through on_socket
    channel = nullptr;
  }

  static void on_socket(void* self, ares_socket_t fd, int readable, int writable) {
    static_cast<Impl*>(self)->watch(fd, readable != 0, writable != 0);
  }
  void watch(int fd, bool readable, bool writable) {
    loop.remove(fd);
    if (!readable && !writable) return;
    const std::uint32_t events = (readable ? std::uint32_t{EPOLLIN} : 0U) | (writable ? std::uint32_t{EPOLLOUT} : 0U);
    // A socket that cannot be watched times out like one that nobody answers.
    if (!loop.add(fd, events, [this, fd](std::uint32_t ready) { process(fd, ready); })) return;
  }
  void process(int fd, std::uint32_t ready) {
    if (channel == nullptr) return;
    const bool read = (ready & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0, write = (ready & EPOLLOUT) != 0;
    ::ares_process_fd(channel, read ? fd : ARES_SOCKET_BAD, write ? fd : ARES_SOCKET_BAD);
    after_progress();
  }
  /// The answer is given from here and not from c-ares' callback, so that it may ask the next question.
  void after_progress() {
    if (answer) {
      const OnDone done = std::move(on_done);
      Result<std::vector<IpAddress>> result = *std::move(answer);
      answer.reset();
      close();
      if (done) done(std::move(result));
      return;
    }
    timeval wait{};
    if (channel == nullptr || ::ares_timeout(channel, nullptr, &wait) == nullptr) return;
    loop.set_timer(timer, loop.clock().monotonic() + Duration::seconds(wait.tv_sec) + Duration{wait.tv_usec});
  }

  static void on_answer(void* self, int status, int, ares_addrinfo* info) {
    auto& impl = *static_cast<Impl*>(self);
    if (status == ARES_EDESTRUCTION || status == ARES_ECANCELLED) return;
    std::vector<IpAddress> out;
    for (const ares_addrinfo_node* node = info == nullptr ? nullptr : info->nodes;
         node != nullptr && out.size() < kAddressesMax; node = node->ai_next) {
      IpAddress address;
      if (node->ai_family == AF_INET) {
        sockaddr_in in{};
        std::copy_n(reinterpret_cast<const char*>(node->ai_addr), sizeof in, reinterpret_cast<char*>(&in));
        std::copy_n(reinterpret_cast<const std::uint8_t*>(&in.sin_addr), 4, address.bytes.begin());
        address.length = 4;
      } else if (node->ai_family == AF_INET6) {
        sockaddr_in6 in{};
        std::copy_n(reinterpret_cast<const char*>(node->ai_addr), sizeof in, reinterpret_cast<char*>(&in));
        std::copy_n(reinterpret_cast<const std::uint8_t*>(&in.sin6_addr), 16, address.bytes.begin());
        address.length = 16;
      } else {
        continue;
      }
      out.push_back(address);
    }
    if (info != nullptr) ::ares_freeaddrinfo(info);
    const bool no_server = status == ARES_ETIMEOUT || status == ARES_ECONNREFUSED || status == ARES_ESERVFAIL ||
                           status == ARES_EREFUSED || status == ARES_ENOMEM;
    if (!out.empty()) {
      impl.answer = std::move(out);
    } else {
      impl.answer =
          fail(no_server ? Errc::unavailable : Errc::not_found, no_server ? "dns.no_answer" : "dns.no_such_name");
    }
  }

  EventLoop& loop;
  std::string server;
  std::uint32_t timer;
  ares_channel channel = nullptr;
  OnDone on_done;
  std::optional<Result<std::vector<IpAddress>>> answer;
};

Resolver::Resolver(EventLoop& loop, std::string dns_server)
    : impl_(std::make_unique<Impl>(loop, std::move(dns_server))) {
  ::ares_library_init(ARES_LIB_INIT_ALL);
}
Resolver::~Resolver() {
  impl_.reset();
  ::ares_library_cleanup();
}

void Resolver::cancel() { impl_->close(); }

void Resolver::resolve(const std::string& host, OnDone on_done) {
  impl_->close();
  const auto hosts = read_file("/etc/hosts", kHostsBytesMax);
  if (auto local = resolve_locally(host, hosts ? std::string_view(*hosts) : std::string_view{})) {
    on_done(*std::move(local));
    return;
  }
  ares_options options{};
  options.timeout = kTimeoutMs;
  options.tries = kTries;
  options.sock_state_cb = &Impl::on_socket;
  options.sock_state_cb_data = impl_.get();
  // A channel lives for one question: /etc/resolv.conf is read anew each time, as it changes with the network.
  const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB;
  if (::ares_init_options(&impl_->channel, &options, mask) != ARES_SUCCESS) {
    impl_->channel = nullptr;
    on_done(fail(Errc::unavailable, "dns.start"));
    return;
  }
  if (!impl_->server.empty() && ::ares_set_servers_ports_csv(impl_->channel, impl_->server.c_str()) != ARES_SUCCESS) {
    impl_->close();
    on_done(fail(Errc::malformed, "dns.server"));
    return;
  }
  impl_->on_done = std::move(on_done);
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_flags = ARES_AI_NOSORT;
  ::ares_getaddrinfo(impl_->channel, host.c_str(), nullptr, &hints, &Impl::on_answer, impl_.get());
  impl_->after_progress();
}

}  // namespace picket::agent
