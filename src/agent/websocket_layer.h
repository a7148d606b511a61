// A WebSocket over a TLS session, with the same reads and writes as the session itself.
#pragma once

#include <string>

#include "agent/tls.h"
#include "websocket.h"

namespace picket::agent {

/// Holds one frame to send and one head to receive; everything else passes through. Not movable while in use.
class WebSocketLayer {
 public:
  /// More is not put into one frame.
  static constexpr std::size_t kFramePayloadMax = 16 << 10;

  /// `tls` has finished its handshake and outlives the layer. `host` goes into the handshake.
  WebSocketLayer(TlsSession& tls, std::string_view host);

  /// Goes on with the handshake. `none`: done. Errors: malformed (problem() says why), io, unavailable (closed).
  Result<TlsWait> handshake();
  [[nodiscard]] const std::string& problem() const { return problem_; }

  Result<TlsSession::Progress> read(std::span<std::byte> out);
  Result<TlsSession::Progress> write(Bytes bytes);
  /// Something of the layer's own waits to be sent: a frame that was begun, or a pong.
  [[nodiscard]] bool pending() const { return out_at_ < out_.size(); }
  /// Sends a close frame, best effort.
  void close();

 private:
  Result<TlsWait> flush();
  Result<TlsSession::Progress> decode(std::span<std::byte> bytes);
  std::unexpected<Error> refuse(std::string why);

  TlsSession& tls_;
  std::string key_;
  std::string head_;  ///< The answer to the handshake, until it is whole; then what came behind it.
  Buffer out_;        ///< Frames, or the handshake.
  std::size_t out_at_ = 0;
  std::size_t owed_ = 0;  ///< Bytes of the caller that the frame in `out_` carries and write() has not told yet.
  bool closed_ = false;
  WebSocketDecoder decoder_;
  std::string problem_;
};

}  // namespace picket::agent
