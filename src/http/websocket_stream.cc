#include "http/websocket_stream.h"

#include <algorithm>
#include <array>
#include <optional>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "http/websocket_codec.h"

namespace picket::http {
namespace {

constexpr std::size_t kReadBytes = 16U << 10;

class WebSocketStream final : public net::Stream {
 public:
  WebSocketStream(std::unique_ptr<net::Stream> inner, std::string unread)
      : inner_(std::move(inner)), write_free_(inner_->executor()) {
    if (!unread.empty()) accept(as_bytes(unread));
  }

  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into) override {
    CO_TRY_VOID(co_await wait_readable());
    const std::size_t n = std::min(into.size(), decoded_.data.size() - at_);
    std::copy_n(decoded_.data.begin() + static_cast<std::ptrdiff_t>(at_), n, into.begin());
    at_ += n;
    if (at_ == decoded_.data.size()) {
      Buffer().swap(decoded_.data);  // an idle connection holds no buffer
      at_ = 0;
    }
    co_return n;
  }

  asio::awaitable<Result<>> wait_readable() override {
    for (;;) {
      if (answer_) CO_TRY_VOID(co_await send_answer());
      if (at_ < decoded_.data.size()) co_return Result<>{};
      if (end_) co_return std::unexpected(*end_);
      CO_TRY_VOID(co_await inner_->wait_readable());
      // Shared by the connections of this thread: the read behind wait_readable() does not wait.
      static thread_local std::array<std::byte, kReadBytes> scratch;
      CO_TRY(const auto n, co_await inner_->read_some(scratch));
      accept(Bytes(scratch).first(n));
    }
  }

  asio::awaitable<Result<>> write(Bytes bytes) override {
    Buffer frame;
    append_frame(frame, Opcode::binary, bytes);
    co_return co_await write_frame(frame);
  }

  void shutdown() override { inner_->shutdown(); }
  void close() override { inner_->close(); }
  [[nodiscard]] const net::Endpoint& peer() const override { return inner_->peer(); }
  [[nodiscard]] const net::TlsFacts* tls() const override { return inner_->tls(); }
  asio::any_io_executor executor() override { return inner_->executor(); }
  [[nodiscard]] std::vector<Buffer> client_chain_der() const override { return inner_->client_chain_der(); }

 private:
  void accept(Bytes bytes) {
    decoded_.controls.clear();
    const auto fed = decoder_.feed(bytes, decoded_);
    for (auto& control : decoded_.controls) {
      if (control.opcode == Opcode::pong) continue;
      answer_.emplace();
      if (control.opcode == Opcode::ping) {
        append_frame(*answer_, Opcode::pong, control.payload);
      } else {
        append_frame(*answer_, Opcode::close,
                     Bytes(control.payload).first(std::min<std::size_t>(control.payload.size(), 2)));
        end_ = Error{Errc::unavailable, "net.stream.end"};
      }
    }
    decoded_.controls.clear();
    if (fed) return;
    answer_.emplace();
    append_close(*answer_, fed.error().code == Errc::unsupported ? kCloseUnacceptable : kCloseProtocol);
    end_ = fed.error();
  }

  asio::awaitable<Result<>> send_answer() {
    const Buffer frame = *std::exchange(answer_, std::nullopt);
    co_return co_await write_frame(frame);
  }

  /// The writer of the protocol above and the reader that answers pings take turns: the stream below takes one write.
  asio::awaitable<Result<>> write_frame(Bytes frame) {
    while (writing_) {
      boost::system::error_code ignored;
      write_free_.expires_at(std::chrono::steady_clock::time_point::max());
      co_await write_free_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    writing_ = true;
    auto written = co_await inner_->write(frame);
    writing_ = false;
    write_free_.cancel();
    co_return written;
  }

  std::unique_ptr<net::Stream> inner_;
  WebSocketDecoder decoder_;
  Decoded decoded_;
  std::size_t at_ = 0;            ///< Read so far of decoded_.data.
  std::optional<Buffer> answer_;  ///< Newest pong, or the close frame, not sent yet.
  std::optional<Error> end_;      ///< What reading ends with, once the data before it is read.
  bool writing_ = false;
  asio::steady_timer write_free_;
};

}  // namespace

std::unique_ptr<net::Stream> make_websocket_stream(std::unique_ptr<net::Stream> inner, std::string unread) {
  return std::make_unique<WebSocketStream>(std::move(inner), std::move(unread));
}

}  // namespace picket::http
