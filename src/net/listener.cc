#include "net/listener.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <unordered_map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/core/check.h"
#include "base/core/random.h"
#include "net/rate_limit.h"
#include "socket.h"

namespace picket::net {
namespace {

using asio::ip::tcp;

constexpr std::size_t kRateBuckets = 4096;
constexpr int kBacklog = 1024;
constexpr Duration kAcceptPause = Duration::milliseconds(100);

std::chrono::microseconds chrono(Duration duration) { return std::chrono::microseconds(duration.us); }

/// Why the listener ended a connection that no protocol had yet.
enum class Ended : std::uint8_t { no, timeout, evicted, stopped };

std::string_view to_string(Ended ended) {
  switch (ended) {
    case Ended::timeout:
      return "timeout";
    case Ended::evicted:
      return "evicted";
    default:
      return "closed";
  }
}

}  // namespace

/// `acceptor`, `unauthenticated`, `rate` and `next_*` belong to thread 0; `threads_state[i]` to thread i.
struct Listener::Core {
  struct Entry {
    Stream* stream = nullptr;  ///< serve() removes the entry right after the stream has gone, with no wait in between.
    Ended ended = Ended::no;
    bool preparing = true;  ///< Handshake and first bytes are still to come.
    bool authenticated = false;
  };
  struct Thread {
    std::unordered_map<std::uint64_t, Entry> entries;
    bool stopping = false;
  };

  Core(IoThreads& threads_in, ListenerOptions options_in, const TlsContext* tls_in, Handler handler_in)
      : threads(threads_in),
        options(std::move(options_in)),
        tls(tls_in),
        handler(std::move(handler_in)),
        acceptor(threads_in.executor(0)),
        rate(options.accepts_per_second, options.accepts_burst, kRateBuckets, {random_u64(), random_u64()}),
        threads_state(threads_in.size()) {}

  Result<> bind();
  asio::awaitable<void> accept_loop(Listener& self);
  void admit(Listener& self, Socket socket, std::size_t thread);
  void evict_oldest();
  void close_on_thread(std::size_t thread, std::uint64_t id, Ended why);
  asio::awaitable<void> serve(Connection connection, std::uint64_t id);
  asio::awaitable<Result<>> prepare(Connection& connection, std::uint64_t id);
  void handshake_failed(const Connection& connection, std::uint64_t id);
  void left(std::size_t thread, std::uint64_t id);

  IoThreads& threads;
  ListenerOptions options;
  const TlsContext* tls;
  Handler handler;
  tcp::acceptor acceptor;
  RateLimit rate;
  std::map<std::uint64_t, std::size_t> unauthenticated;  ///< id -> thread; ids grow, so the first is the oldest
  std::uint64_t next_id = 1;
  std::size_t next_thread = 0;
  std::vector<Thread> threads_state;

  struct Counters {
    std::atomic<std::uint64_t> accepted, rejected_connections_max, rejected_rate, evicted_unauthenticated,
        handshakes_failed, handshake_timeouts, first_bytes_timeouts, accept_errors, handler_failures;
    std::atomic<std::size_t> open, unauthenticated;
  } counters{};

  std::mutex stop_mutex;  ///< Between stop() and thread 0 only.
  std::condition_variable stop_changed;
  bool accepting = false;
  std::size_t threads_stopped = 0;
  bool stopped = false;
};

Result<> Listener::Core::bind() {
  boost::system::error_code code;
  const auto address = asio::ip::make_address(options.address, code);
  if (code) return fail(Errc::malformed, "net.listener.address");
  const tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), code);
  if (!code) acceptor.set_option(tcp::acceptor::reuse_address(true), code);
  if (!code && address.is_v6()) acceptor.set_option(asio::ip::v6_only(false), code);
  if (!code) acceptor.bind(endpoint, code);
  if (!code) acceptor.listen(kBacklog, code);
  if (code) return fail_with(code, "net.listener.bind");
  return {};
}

asio::awaitable<void> Listener::Core::accept_loop(Listener& self) {
  asio::steady_timer pause(acceptor.get_executor());
  while (acceptor.is_open()) {
    const auto thread = next_thread++ % threads.size();
    boost::system::error_code code;
    Socket socket(threads.executor(thread));
    co_await acceptor.async_accept(socket, asio::redirect_error(asio::use_awaitable, code));
    if (code == asio::error::operation_aborted) break;
    if (code) {  // out of descriptors, most likely: the peer waits in the backlog meanwhile
      ++counters.accept_errors;
      pause.expires_after(chrono(kAcceptPause));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, code));
      continue;
    }
    admit(self, std::move(socket), thread);
  }
}

void Listener::Core::admit(Listener& self, Socket socket, std::size_t thread) {
  ++counters.accepted;
  if (!rate.take(source_prefix(peer_of(socket).address), system_clock().monotonic())) {
    ++counters.rejected_rate;
    return;  // the socket closes here
  }
  if (counters.open >= options.connections_max) {
    ++counters.rejected_connections_max;
    return;
  }
  if (unauthenticated.size() >= options.unauthenticated_max) evict_oldest();
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const auto id = next_id++;
  unauthenticated.emplace(id, thread);
  counters.unauthenticated = unauthenticated.size();
  ++counters.open;
  threads.post(thread, [this, &self, id, thread, moved = std::move(socket)]() mutable {
    if (threads_state[thread].stopping) return left(thread, id);
    Connection connection{Admission(self, id, thread), nullptr};
    if (tls != nullptr) {
      connection.stream = make_tls_stream(std::move(moved), tls->current());
    } else {
      connection.stream = make_tcp_stream(std::move(moved));
    }
    threads_state[thread].entries[id] = {connection.stream.get()};
    asio::co_spawn(threads.executor(thread), serve(std::move(connection), id),
                   asio::detached);  // stop() waits for left()
  });
}

void Listener::Core::evict_oldest() {
  const auto oldest = unauthenticated.begin();
  const auto [id, thread] = *oldest;
  unauthenticated.erase(oldest);
  ++counters.evicted_unauthenticated;
  threads.post(thread, [this, thread, id] { close_on_thread(thread, id, Ended::evicted); });
}

void Listener::Core::close_on_thread(std::size_t thread, std::uint64_t id, Ended why) {
  auto& entries = threads_state[thread].entries;
  const auto found = entries.find(id);
  if (found == entries.end()) return;
  // It may have authenticated itself while this message was on its way.
  if (why == Ended::evicted && found->second.authenticated) return;
  found->second.ended = why;
  found->second.stream->close();
}

/// Handshake and first bytes, each under its deadline.
asio::awaitable<Result<>> Listener::Core::prepare(Connection& connection, std::uint64_t id) {
  const auto thread = connection.admission.thread();
  asio::steady_timer timer(connection.stream->executor());
  // By id, not by pointer: a wait that has already ended may run after the connection.
  const auto arm = [&](Duration timeout, std::atomic<std::uint64_t>& counter) {
    timer.expires_after(chrono(timeout));
    timer.async_wait([this, thread, id, &counter](const boost::system::error_code& code) {
      const auto found = threads_state[thread].entries.find(id);
      if (code || found == threads_state[thread].entries.end() || !found->second.preparing) return;
      ++counter;
      close_on_thread(thread, id, Ended::timeout);
    });
  };
  if (tls != nullptr) {
    arm(options.handshake_timeout, counters.handshake_timeouts);
    const auto done = co_await static_cast<TlsServerStream&>(*connection.stream).handshake();
    if (!done) {
      handshake_failed(connection, id);
      co_return done;
    }
  }
  arm(options.first_bytes_timeout, counters.first_bytes_timeouts);
  const auto ready = co_await connection.stream->wait_readable();
  threads_state[thread].entries[id].preparing = false;
  co_return ready;
}

void Listener::Core::handshake_failed(const Connection& connection, std::uint64_t id) {
  ++counters.handshakes_failed;
  if (!options.on_handshake_failed) return;
  const auto& stream = static_cast<const TlsServerStream&>(*connection.stream);
  const auto ended = threads_state[connection.admission.thread()].entries[id].ended;
  const bool by_peer = ended == Ended::no && !stream.failure_reason().empty();
  options.on_handshake_failed(stream.peer(), by_peer ? std::string_view(stream.failure_reason()) : to_string(ended));
}

asio::awaitable<void> Listener::Core::serve(Connection connection, std::uint64_t id) {
  const auto thread = connection.admission.thread();
  try {
    const auto ready = co_await prepare(connection, id);
    if (ready) {
      co_await handler(std::move(connection));
    } else {
      connection.stream.reset();
    }
  } catch (...) {  // out of memory, or a defect: this connection ends, the others go on
    ++counters.handler_failures;
    connection.stream.reset();
  }
  left(thread, id);
}

void Listener::Core::left(std::size_t thread, std::uint64_t id) {
  threads_state[thread].entries.erase(id);
  threads.post(0, [this, id] {
    unauthenticated.erase(id);
    counters.unauthenticated = unauthenticated.size();
    const std::scoped_lock lock(stop_mutex);
    --counters.open;
    stop_changed.notify_all();
  });
}

Listener::Listener(std::unique_ptr<Core> core) : core_(std::move(core)) {}

Result<std::unique_ptr<Listener>> Listener::open(IoThreads& threads, ListenerOptions options, const TlsContext* tls,
                                                 Handler handler) {
  std::unique_ptr<Listener> listener(
      new Listener(std::make_unique<Core>(threads, std::move(options), tls, std::move(handler))));
  auto& core = *listener->core_;
  TRY_VOID(core.bind());
  core.accepting = true;
  asio::co_spawn(threads.executor(0), core.accept_loop(*listener), [&core](std::exception_ptr) {
    const std::scoped_lock lock(core.stop_mutex);
    core.accepting = false;
    core.stop_changed.notify_all();
  });
  return listener;
}

Listener::~Listener() { stop(); }

std::uint16_t Listener::port() const {
  boost::system::error_code code;
  return core_->acceptor.local_endpoint(code).port();
}

ListenerStats Listener::stats() const {
  const auto& from = core_->counters;
  return {.accepted = from.accepted,
          .rejected_connections_max = from.rejected_connections_max,
          .rejected_rate = from.rejected_rate,
          .evicted_unauthenticated = from.evicted_unauthenticated,
          .handshakes_failed = from.handshakes_failed,
          .handshake_timeouts = from.handshake_timeouts,
          .first_bytes_timeouts = from.first_bytes_timeouts,
          .accept_errors = from.accept_errors,
          .handler_failures = from.handler_failures,
          .open = from.open,
          .unauthenticated = from.unauthenticated};
}

void Listener::stop() {
  auto& core = *core_;
  if (core.stopped) return;
  core.stopped = true;
  core.threads.post(0, [&core] {
    boost::system::error_code ignored;
    core.acceptor.close(ignored);
    // After the acceptor: what it has admitted is on its way to a thread before these messages are.
    for (std::size_t i = 0; i < core.threads.size(); ++i) {
      core.threads.post(i, [&core, i] {
        core.threads_state[i].stopping = true;
        for (auto& [id, entry] : core.threads_state[i].entries) {
          entry.ended = Ended::stopped;
          entry.stream->close();
        }
        const std::scoped_lock lock(core.stop_mutex);
        ++core.threads_stopped;
        core.stop_changed.notify_all();
      });
    }
  });
  std::unique_lock lock(core.stop_mutex);
  core.stop_changed.wait(lock, [&core] {
    return !core.accepting && core.threads_stopped == core.threads.size() && core.counters.open == 0;
  });
}

void Admission::authenticated() {
  if (listener_ == nullptr) return;
  auto& core = *listener_->core_;
  core.threads_state[thread_].entries[id_].authenticated = true;
  core.threads.post(0, [&core, id = id_] {
    core.unauthenticated.erase(id);
    core.counters.unauthenticated = core.unauthenticated.size();
  });
}

}  // namespace picket::net
