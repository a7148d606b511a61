#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <sys/socket.h>

#include "socket.h"

namespace picket::net {
namespace {

class TcpStream final : public Stream {
 public:
  explicit TcpStream(Socket socket) : socket_(std::move(socket)), peer_(peer_of(socket_)) {}

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into) override {
    while (true) {
      if (!readable_) CO_TRY_VOID(co_await wait_readable());
      readable_ = false;
      const auto n = ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
      if (n > 0) {
        readable_ = static_cast<std::size_t>(n) == into.size();  // there may be more
        co_return static_cast<std::size_t>(n);
      }
      if (n == 0) co_return fail(Errc::unavailable, "net.stream.end");
      if (errno != EAGAIN && errno != EINTR) co_return fail(Errc::unavailable, "net.stream.read");
    }
  }

  asio::awaitable<Result<>> wait_readable() override {
    boost::system::error_code code;
    co_await socket_.async_wait(Socket::wait_read, asio::redirect_error(asio::use_awaitable, code));
    if (code) co_return fail_with(code, "net.stream.wait");
    readable_ = true;
    co_return Result<>{};
  }

  asio::awaitable<Result<>> write(Bytes bytes) override {
    boost::system::error_code code;
    co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()),
                               asio::redirect_error(asio::use_awaitable, code));
    if (code) co_return fail_with(code, "net.stream.write");
    co_return Result<>{};
  }

  Result<std::size_t> try_write(Bytes bytes) override {
    const auto n = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EAGAIN || errno == EINTR) return 0;
    return fail(Errc::unavailable, "net.stream.write");
  }

  void shutdown() override { ::shutdown(socket_.native_handle(), SHUT_WR); }

  void close() override {
    ::shutdown(socket_.native_handle(), SHUT_RDWR);
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }

  [[nodiscard]] bool peer_finished() const override { return net::peer_finished(socket_); }
  [[nodiscard]] const Endpoint& peer() const override { return peer_; }
  [[nodiscard]] const TlsFacts* tls() const override { return nullptr; }
  asio::any_io_executor executor() override { return socket_.get_executor(); }

 private:
  Socket socket_;
  Endpoint peer_;
  bool readable_ = false;  ///< The socket is asked before it is waited for.
};

}  // namespace

Endpoint peer_of(const Socket& socket) {
  boost::system::error_code code;
  const auto endpoint = socket.remote_endpoint(code);
  if (code) return {};
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return {address.to_string(), endpoint.port()};
}

std::unexpected<Error> fail_with(const boost::system::error_code& code, std::string_view where) {
  const bool gone = code == asio::error::operation_aborted || code == asio::error::connection_reset ||
                    code == asio::error::broken_pipe || code == asio::error::eof;
  return std::unexpected(Error{gone ? Errc::unavailable : Errc::io, where, 0, code.value()});
}

std::unique_ptr<Stream> make_tcp_stream(Socket socket) { return std::make_unique<TcpStream>(std::move(socket)); }

}  // namespace picket::net
