// WebSocket framing, server side (RFC 6455, section 5): bytes from a client become a stream of bytes and control
// frames. Pure. Message and frame boundaries mean nothing to what stands above (MQTT 3.1.1, section 6; AMQP over
// WebSocket).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/result.h"

namespace picket::http {

enum class Opcode : std::uint8_t { continuation = 0, text = 1, binary = 2, close = 8, ping = 9, pong = 10 };

inline constexpr std::size_t kControlBytesMax = 125;  ///< Payload of a control frame.
inline constexpr std::size_t kFrameHeaderBytesMax = 14;

/// Status codes of a close frame (RFC 6455, section 7.4.1).
inline constexpr std::uint16_t kCloseNormal = 1000;
inline constexpr std::uint16_t kCloseProtocol = 1002;
inline constexpr std::uint16_t kCloseUnacceptable = 1003;

struct ControlFrame {
  Opcode opcode{};
  Buffer payload;  ///< At most kControlBytesMax; of a close frame: status and reason, or nothing.
  friend bool operator==(const ControlFrame&, const ControlFrame&) = default;
};

/// What one call of WebSocketDecoder::feed found.
struct Decoded {
  Buffer data;                         ///< Payload of data frames, unmasked, joined.
  std::vector<ControlFrame> controls;  ///< In order; nothing is read behind a close frame.
};

/// Holds at most a frame header and one control frame: data passes through, whatever length its frame announces.
class WebSocketDecoder {
 public:
  /// Decodes all of `in`; how it is cut does not matter. Errors (the connection must end): unsupported
  /// "ws.frame.text" (close with kCloseUnacceptable), malformed otherwise (kCloseProtocol): "ws.frame.reserved" (an
  /// extension nobody agreed on), ".opcode", ".unmasked", ".length" (not the shortest form, or above 2^63),
  /// ".control" (fragmented or too long), ".continuation" (without a beginning, or a beginning inside a message),
  /// ".close" (one byte, or a status that must not be sent).
  /// What was decoded before the error stays in `out`.
  Result<> feed(Bytes in, Decoded& out);
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  Result<> begin_frame();
  Result<> take_payload(Bytes piece, Decoded& out);
  Result<> end_frame(Decoded& out);

  std::array<std::byte, kFrameHeaderBytesMax> header_{};
  std::size_t header_bytes_ = 0;
  bool in_frame_ = false;
  Opcode opcode_{};
  std::uint64_t left_ = 0;  ///< Of the payload.
  std::array<std::byte, 4> mask_{};
  std::size_t mask_at_ = 0;
  bool final_ = false;
  bool in_message_ = false;
  bool closed_ = false;
  Buffer control_;
};

/// A frame from the server: final, not masked.
void append_frame(Buffer& out, Opcode opcode, Bytes payload);
/// A close frame.
void append_close(Buffer& out, std::uint16_t status);

/// A frame as a client sends it; for tests and fuzz targets.
void append_client_frame(Buffer& out, Opcode opcode, Bytes payload, bool final, std::array<std::byte, 4> mask);

}  // namespace picket::http
