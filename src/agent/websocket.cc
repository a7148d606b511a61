#include "websocket.h"

#include <algorithm>

#include "base/core/byte_writer.h"
#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "http_head.h"

namespace picket::agent {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, section 1.3
constexpr std::byte kFinal{0x80}, kReserved{0x70}, kOpcode{0x0f}, kMasked{0x80}, kLength{0x7f};
constexpr std::size_t kShortMax = 125;
constexpr std::byte kLength16{126}, kLength64{127};

bool is_control(WsOpcode opcode) { return opcode >= WsOpcode::close; }

}  // namespace

std::string websocket_request(std::string_view host, std::string_view key) {
  std::string out = "GET ";
  out.append(kWebSocketPath).append(" HTTP/1.1\r\nHost: ").append(host);
  out += "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
  out.append("Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: ").append(key).append("\r\n\r\n");
  return out;
}

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key).append(kGuid);
  return to_base64(sha1(as_bytes(text)));
}

std::optional<std::string> websocket_refusal(std::string_view head, std::string_view key) {
  const auto parsed = parse_http_head(head);
  if (!parsed || !*parsed) return "the answer to the WebSocket handshake is no HTTP";
  const HttpHead& answer = **parsed;
  if (answer.status != 101) {
    return "the hub answered the WebSocket handshake with HTTP " + std::to_string(answer.status) + " " +
           std::string(answer.reason.substr(0, 100));
  }
  if (!equal_ignoring_case(answer.field("upgrade"), "websocket") ||
      answer.field("sec-websocket-accept") != websocket_accept(key)) {
    return "the answer to the WebSocket handshake is wrong: is something between this device and the hub?";
  }
  if (!equal_ignoring_case(answer.field("sec-websocket-protocol"), "mqtt")) {
    return "the peer speaks WebSocket, but not MQTT over it";
  }
  if (!answer.field("sec-websocket-extensions").empty()) return "the peer wants a WebSocket extension nobody offered";
  return std::nullopt;
}

void append_websocket_frame(Buffer& out, WsOpcode opcode, Bytes payload, std::array<std::byte, 4> mask) {
  out.push_back(kFinal | static_cast<std::byte>(opcode));
  const auto put = [&](std::uint64_t value, int length_bytes) {
    for (int i = length_bytes - 1; i >= 0; --i) out.push_back(static_cast<std::byte>(value >> (8 * i)));
  };
  if (payload.size() <= kShortMax) {
    out.push_back(kMasked | static_cast<std::byte>(payload.size()));
  } else if (payload.size() <= 0xffff) {
    out.push_back(kMasked | kLength16);
    put(payload.size(), 2);
  } else {
    out.push_back(kMasked | kLength64);
    put(payload.size(), 8);
  }
  append(out, mask);
  const std::size_t from = out.size();
  append(out, payload);
  for (std::size_t i = 0; i < payload.size(); ++i) out[from + i] ^= mask[i % 4];
}

/// True when the header is whole.
Result<bool> WebSocketDecoder::take_header(std::byte next) {
  header_[header_bytes_++] = next;
  if (header_bytes_ < 2) return false;
  if ((header_[1] & kMasked) != std::byte{}) return fail(Errc::malformed, "websocket.masked");
  const std::byte length = header_[1] & kLength;
  const std::size_t wanted = length == kLength64 ? 10 : length == kLength16 ? 4 : 2;
  return header_bytes_ == wanted;
}

Result<> WebSocketDecoder::begin_frame() {
  if ((header_[0] & kReserved) != std::byte{}) return fail(Errc::malformed, "websocket.reserved");
  opcode_ = static_cast<WsOpcode>(header_[0] & kOpcode);
  final_ = (header_[0] & kFinal) != std::byte{};
  left_ = 0;
  if (header_bytes_ == 2) {
    left_ = std::to_integer<std::uint64_t>(header_[1] & kLength);
  } else {
    for (std::size_t i = 2; i < header_bytes_; ++i) left_ = left_ << 8 | std::to_integer<std::uint64_t>(header_[i]);
    const std::uint64_t least = header_bytes_ == 4 ? kShortMax + 1 : 0x1'0000;
    if (left_ < least || left_ >> 63 != 0) return fail(Errc::malformed, "websocket.length");
  }
  switch (opcode_) {
    case WsOpcode::text:
      return fail(Errc::unsupported, "websocket.text");
    case WsOpcode::binary:
    case WsOpcode::continuation:
      if (in_message_ != (opcode_ == WsOpcode::continuation)) return fail(Errc::malformed, "websocket.continuation");
      in_message_ = !final_;
      break;
    case WsOpcode::close:
    case WsOpcode::ping:
    case WsOpcode::pong:
      if (!final_ || left_ > kWsControlBytesMax) return fail(Errc::malformed, "websocket.control");
      control_.clear();
      break;
    default:
      return fail(Errc::malformed, "websocket.opcode");
  }
  header_bytes_ = 0;
  in_frame_ = true;
  return {};
}

void WebSocketDecoder::end_control(Decoded& out) {
  if (opcode_ == WsOpcode::ping) out.ping = control_;
  if (opcode_ == WsOpcode::close) closed_ = true;
}

Result<WebSocketDecoder::Decoded> WebSocketDecoder::decode(std::span<std::byte> bytes) {
  Decoded out;
  std::size_t at = 0;
  // A frame without payload ends as soon as its header does, so the end is looked at before more bytes are.
  while (!closed_) {
    if (in_frame_ && left_ == 0) {
      in_frame_ = false;
      if (is_control(opcode_)) end_control(out);
      continue;
    }
    if (at == bytes.size()) break;
    if (!in_frame_) {
      TRY(const bool whole, take_header(bytes[at++]));
      if (whole) TRY_VOID(begin_frame());
      continue;
    }
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - at));
    if (is_control(opcode_)) {
      append(control_, Bytes(bytes).subspan(at, piece));
    } else {
      std::ranges::copy(bytes.subspan(at, piece), bytes.begin() + static_cast<std::ptrdiff_t>(out.bytes));
      out.bytes += piece;
    }
    at += piece;
    left_ -= piece;
  }
  out.closed = closed_;
  return out;
}

}  // namespace picket::agent
