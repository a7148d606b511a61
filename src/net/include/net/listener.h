// Accepts connections, does their TLS handshake under deadlines, and hands them to a protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>

#include "base/core/result.h"
#include "base/core/time.h"
#include "net/io_threads.h"
#include "net/stream.h"
#include "net/tls_context.h"

namespace picket::net {

struct ListenerOptions {
  std::string address = "::";  ///< "::" also takes IPv4.
  std::uint16_t port = 0;      ///< 0: any free one, see port().
  std::size_t connections_max = 20'000;
  /// Connections that no protocol has authenticated yet; one more ends the oldest of them.
  std::size_t unauthenticated_max = 1024;
  Duration handshake_timeout = Duration::seconds(10);    ///< From accept to the end of the handshake.
  Duration first_bytes_timeout = Duration::seconds(10);  ///< From there to the first byte of the protocol.
  double accepts_per_second = 200;                       ///< Of one source: IPv4 address or IPv6 /64.
  double accepts_burst = 2000;
  /// Called on an I/O thread when a handshake fails: TLS alert in OpenSSL's words, "timeout", "evicted" or "closed".
  std::function<void(const Endpoint& peer, std::string_view reason)> on_handshake_failed;
};

struct ListenerStats {
  std::uint64_t accepted = 0;
  std::uint64_t rejected_connections_max = 0;
  std::uint64_t rejected_rate = 0;
  std::uint64_t evicted_unauthenticated = 0;
  std::uint64_t handshakes_failed = 0;  ///< Includes time-outs and evictions during the handshake.
  std::uint64_t handshake_timeouts = 0;
  std::uint64_t first_bytes_timeouts = 0;
  std::uint64_t accept_errors = 0;     ///< Such as: out of file descriptors.
  std::uint64_t handler_failures = 0;  ///< Exceptions that reached the listener; a defect.
  std::size_t open = 0;
  std::size_t unauthenticated = 0;
};

class Listener;

/// A connection's place in its listener. Used on the connection's thread, while its handler runs.
class Admission {
 public:
  Admission() = default;
  Admission(Listener& listener, std::uint64_t id, std::size_t thread)
      : listener_(&listener), id_(id), thread_(thread) {}

  /// The protocol knows who this is: the connection no longer counts as unauthenticated.
  void authenticated();
  /// The I/O thread that the connection lives on.
  [[nodiscard]] std::size_t thread() const { return thread_; }

 private:
  Listener* listener_ = nullptr;
  std::uint64_t id_ = 0;
  std::size_t thread_ = 0;
};

/// A handshaken connection whose first bytes are there.
struct Connection {
  Admission admission;
  std::unique_ptr<Stream> stream;
};

/// Runs a connection to its end, on the connection's thread, and destroys it before it returns. It must return soon
/// after Stream::close().
using Handler = std::function<asio::awaitable<void>(Connection)>;

/// One listening socket; accepts on thread 0 and deals connections out to all threads in turn. Must be stopped before
/// its IoThreads.
class Listener {
 public:
  /// `tls` nullptr: plain TCP; otherwise it outlives the listener. Errors: io (bind, e.g. address in use), malformed.
  static Result<std::unique_ptr<Listener>> open(IoThreads& threads, ListenerOptions options, const TlsContext* tls,
                                                Handler handler);
  ~Listener();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] ListenerStats stats() const;
  /// Accepts no more, closes every connection and waits until their handlers have returned. Not from an I/O thread.
  void stop();

 private:
  friend class Admission;
  struct Core;
  explicit Listener(std::unique_ptr<Core> core);
  std::unique_ptr<Core> core_;
};

}  // namespace picket::net
