#include "websocket_layer.h"

#include <algorithm>

#include "base/core/encoding.h"
#include "base/core/random.h"
#include "http_head.h"

namespace picket::agent {
namespace {

std::array<std::byte, 4> new_mask() {
  std::array<std::byte, 4> mask;
  random_bytes(mask);
  return mask;
}

std::string new_key() {
  std::array<std::byte, 16> bytes;
  random_bytes(bytes);
  return to_base64(bytes);
}

}  // namespace

WebSocketLayer::WebSocketLayer(TlsSession& tls, std::string_view host) : tls_(tls), key_(new_key()) {
  append(out_, as_bytes(websocket_request(host, key_)));
}

std::unexpected<Error> WebSocketLayer::refuse(std::string why) {
  problem_ = std::move(why);
  return fail(Errc::malformed, "websocket.handshake");
}

Result<TlsWait> WebSocketLayer::handshake() {
  TRY(const TlsWait sending, flush());
  if (sending != TlsWait::none) return sending;
  for (;;) {
    const auto parsed = parse_http_head(head_);
    if (!parsed) return refuse("the answer to the WebSocket handshake is no HTTP; is this the hub's port for HTTPS?");
    if (*parsed) {
      const std::size_t length = (*parsed)->bytes;
      if (auto why = websocket_refusal(head_, key_)) return refuse(*std::move(why));
      head_.erase(0, length);
      return TlsWait::none;
    }
    std::array<std::byte, 1'024> bytes;
    TRY(const auto progress, tls_.read(bytes));
    if (progress.wait != TlsWait::none) return progress.wait;
    if (progress.bytes == 0) {
      problem_ = "the hub closed the connection during the WebSocket handshake";
      return fail(Errc::unavailable, "websocket.closed");
    }
    head_ += as_text(Bytes(bytes).first(progress.bytes));
  }
}

/// Sends what waits in `out_`.
Result<TlsWait> WebSocketLayer::flush() {
  while (pending()) {
    TRY(const auto progress, tls_.write(Bytes(out_).subspan(out_at_)));
    if (progress.wait != TlsWait::none) return progress.wait;
    out_at_ += progress.bytes;
  }
  out_.clear();
  out_at_ = 0;
  return TlsWait::none;
}

Result<TlsSession::Progress> WebSocketLayer::decode(std::span<std::byte> bytes) {
  TRY(auto decoded, decoder_.decode(bytes));
  closed_ = decoded.closed;
  // One pong waits at most: the newest ping counts (RFC 6455, section 5.5.3), and a server that only pings must not
  // make this grow.
  if (decoded.ping && out_.size() < 2 * kFramePayloadMax) {
    append_websocket_frame(out_, WsOpcode::pong, *decoded.ping, new_mask());
    (void)flush();
  }
  return TlsSession::Progress{decoded.bytes, TlsWait::none};
}

Result<TlsSession::Progress> WebSocketLayer::read(std::span<std::byte> out) {
  // A pong that did not fit when it was made. A peer that takes nothing more may still have said something before: what
  // it acknowledged is worth to be read.
  (void)flush();
  for (;;) {
    if (closed_) return TlsSession::Progress{};
    TlsSession::Progress received;
    if (!head_.empty()) {
      received.bytes = std::min(head_.size(), out.size());
      std::ranges::copy(as_bytes(head_).first(received.bytes), out.begin());
      head_.erase(0, received.bytes);
    } else {
      TRY(received, tls_.read(out));
      if (received.wait != TlsWait::none || received.bytes == 0) return received;
    }
    TRY(const auto decoded, decode(out.first(received.bytes)));
    if (decoded.bytes > 0) return decoded;  // else only headers and control frames: read on
  }
}

Result<TlsSession::Progress> WebSocketLayer::write(Bytes bytes) {
  if (owed_ == 0) {
    const Bytes piece = bytes.first(std::min(bytes.size(), kFramePayloadMax));
    append_websocket_frame(out_, WsOpcode::binary, piece, new_mask());
    owed_ = piece.size();
  }
  TRY(const TlsWait wait, flush());
  if (wait != TlsWait::none) return TlsSession::Progress{0, wait};
  return TlsSession::Progress{std::exchange(owed_, 0), TlsWait::none};
}

void WebSocketLayer::close() {
  constexpr std::array<std::byte, 2> kNormal{std::byte{1'000 >> 8}, std::byte{1'000 & 0xff}};
  append_websocket_frame(out_, WsOpcode::close, kNormal, new_mask());
  (void)flush();
}

}  // namespace picket::agent
