// The client's side of a WebSocket (RFC 6455): handshake texts, masked frames out, frames of a server in. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/result.h"

namespace picket::agent {

/// Path of IoT Hub's MQTT over WebSocket (spec/hub.md, section 1.1); the sub-protocol is "mqtt".
inline constexpr std::string_view kWebSocketPath = "/$iothub/websocket";

enum class WsOpcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

inline constexpr std::size_t kWsControlBytesMax = 125;  ///< Payload of a control frame.
inline constexpr std::size_t kWsHeaderBytesMax = 14;

/// `key`: 16 random bytes in base64. `host` with its port where it is not 443.
std::string websocket_request(std::string_view host, std::string_view key);
/// Value of Sec-WebSocket-Accept that proves the server has read `key` (section 4.2.2).
std::string websocket_accept(std::string_view key);
/// nullopt: the answer opens the WebSocket. Else what is wrong with it, for people. `head` is the whole answer.
std::optional<std::string> websocket_refusal(std::string_view head, std::string_view key);

/// A final frame as a client sends it; `mask` must be new and random for each.
void append_websocket_frame(Buffer& out, WsOpcode opcode, Bytes payload, std::array<std::byte, 4> mask);

/// Frames of a server become a stream of bytes: MQTT packets are no frames (MQTT 3.1.1, section 6). Holds a frame
/// header and one control frame, never more, whatever length a frame announces.
class WebSocketDecoder {
 public:
  struct Decoded {
    std::size_t bytes = 0;       ///< Of data, moved to the front of the span.
    std::optional<Buffer> ping;  ///< Payload of the newest one: to be answered by a pong.
    bool closed = false;         ///< A close frame came; nothing behind it is read.
  };
  /// Decodes all of `bytes` in place; how the stream is cut does not matter. Errors (the connection must end):
  /// malformed "websocket.masked", ".reserved", ".opcode", ".length" (not the shortest form, or above 2^63),
  /// ".control" (fragmented or too long), ".continuation"; unsupported "websocket.text".
  Result<Decoded> decode(std::span<std::byte> bytes);

 private:
  Result<bool> take_header(std::byte next);
  Result<> begin_frame();
  void end_control(Decoded& out);

  std::array<std::byte, kWsHeaderBytesMax> header_{};
  std::size_t header_bytes_ = 0;
  bool in_frame_ = false;
  WsOpcode opcode_{};
  std::uint64_t left_ = 0;  ///< Of the payload.
  bool final_ = false;
  bool in_message_ = false;
  bool closed_ = false;
  Buffer control_;
};

}  // namespace picket::agent
