// Asio's TCP socket and what both kinds of streams do with it.
#pragma once

#include <memory>

#include <boost/asio/ip/tcp.hpp>
#include <poll.h>

#include "net/stream.h"
#include "net/tls_context.h"

namespace picket::net {

using Socket = asio::ip::tcp::socket;

Endpoint peer_of(const Socket& socket);
/// Whether a FIN or a reset has come, behind whatever is still unread.
inline bool peer_finished(const Socket& socket) {
  pollfd state{.fd = const_cast<Socket&>(socket).native_handle(), .events = POLLRDHUP, .revents = 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}
/// Error code of Asio as ours.
std::unexpected<Error> fail_with(const boost::system::error_code& code, std::string_view where);

std::unique_ptr<Stream> make_tcp_stream(Socket socket);

/// A TLS stream before and during its handshake.
class TlsServerStream : public Stream {
 public:
  /// Error unavailable or malformed; failure_reason() then holds OpenSSL's words.
  virtual asio::awaitable<Result<>> handshake() = 0;
  [[nodiscard]] virtual const std::string& failure_reason() const = 0;
};
std::unique_ptr<TlsServerStream> make_tls_stream(Socket socket, std::shared_ptr<ssl_ctx_st> context);

}  // namespace picket::net
