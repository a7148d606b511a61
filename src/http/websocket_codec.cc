#include "http/websocket_codec.h"

#include <algorithm>
#include <utility>

namespace picket::http {
namespace {

constexpr std::uint8_t kFinal = 0x80;
constexpr std::uint8_t kReserved = 0x70;
constexpr std::uint8_t kOpcode = 0x0f;
constexpr std::uint8_t kMasked = 0x80;
constexpr std::uint8_t kLength = 0x7f;
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;
constexpr std::size_t kMaskBytes = 4;

std::uint8_t octet(std::byte b) { return std::to_integer<std::uint8_t>(b); }

bool is_control(Opcode opcode) { return static_cast<std::uint8_t>(opcode) >= 8; }

std::size_t extended_bytes(std::uint8_t length) { return length == kLength16 ? 2 : length == kLength64 ? 8 : 0; }

std::uint64_t big_endian(Bytes bytes) {
  std::uint64_t value = 0;
  for (const std::byte b : bytes) value = value << 8 | octet(b);
  return value;
}

/// Statuses that a peer may send (RFC 6455, 7.4): 1004 to 1006 and 1015 never stand in a frame.
bool may_be_sent(std::uint64_t status) {
  if (status >= 3000 && status <= 4999) return true;
  return status >= 1000 && status <= 1014 && !(status >= 1004 && status <= 1006);
}

void append_header(Buffer& out, Opcode opcode, std::size_t size, bool final, bool masked) {
  const auto put = [&out](std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(value >> shift));
  };
  put((final ? kFinal : 0U) | static_cast<std::uint8_t>(opcode), 1);
  const std::uint8_t mask = masked ? kMasked : 0;
  if (size < kLength16) {
    put(mask | size, 1);
  } else if (size <= 0xffff) {
    put(mask | kLength16, 1);
    put(size, 2);
  } else {
    put(mask | kLength64, 1);
    put(size, 8);
  }
}

/// What the first two bytes of a frame already tell.
Result<> check_start(std::uint8_t first, std::uint8_t second, bool in_message) {
  if ((first & kReserved) != 0) return fail(Errc::malformed, "ws.frame.reserved");
  const auto opcode = static_cast<Opcode>(first & kOpcode);
  const bool known = opcode <= Opcode::binary || (opcode >= Opcode::close && opcode <= Opcode::pong);
  if (!known) return fail(Errc::malformed, "ws.frame.opcode");
  if ((second & kMasked) == 0) return fail(Errc::malformed, "ws.frame.unmasked");
  if (is_control(opcode)) {
    const bool whole = (first & kFinal) != 0 && (second & kLength) <= kControlBytesMax;
    if (!whole) return fail(Errc::malformed, "ws.frame.control");
    return {};
  }
  if ((opcode == Opcode::continuation) != in_message) return fail(Errc::malformed, "ws.frame.continuation");
  if (opcode == Opcode::text) return fail(Errc::unsupported, "ws.frame.text");
  return {};
}

}  // namespace

Result<> WebSocketDecoder::begin_frame() {
  const std::uint8_t first = octet(header_[0]);
  const std::uint8_t second = octet(header_[1]);
  const std::uint8_t short_length = second & kLength;
  const std::size_t extended = extended_bytes(short_length);
  const Bytes header(header_);
  opcode_ = static_cast<Opcode>(first & kOpcode);
  final_ = (first & kFinal) != 0;
  left_ = extended == 0 ? short_length : big_endian(header.subspan(2, extended));
  // 2^63 and above is no length; a longer form than needed is a second spelling of the same frame.
  if (left_ >> 63 != 0 || (extended == 2 && left_ < kLength16) || (extended == 8 && left_ <= 0xffff))
    return fail(Errc::malformed, "ws.frame.length");
  std::copy_n(header_.begin() + 2 + static_cast<std::ptrdiff_t>(extended), kMaskBytes, mask_.begin());
  mask_at_ = 0;
  header_bytes_ = 0;
  in_frame_ = true;
  control_.clear();
  return {};
}

Result<> WebSocketDecoder::take_payload(Bytes piece, Decoded& out) {
  Buffer& into = is_control(opcode_) ? control_ : out.data;
  const std::size_t begin = into.size();
  append(into, piece);
  for (std::size_t i = 0; i < piece.size(); ++i) into[begin + i] ^= mask_[(mask_at_ + i) % kMaskBytes];
  mask_at_ = (mask_at_ + piece.size()) % kMaskBytes;
  left_ -= piece.size();
  return left_ == 0 ? end_frame(out) : Result<>{};
}

Result<> WebSocketDecoder::end_frame(Decoded& out) {
  in_frame_ = false;
  if (!is_control(opcode_)) {
    in_message_ = !final_;
    return {};
  }
  if (opcode_ == Opcode::close) {
    closed_ = true;
    const bool status_ok =
        control_.empty() || (control_.size() >= 2 && may_be_sent(big_endian(Bytes(control_).first(2))));
    if (!status_ok) return fail(Errc::malformed, "ws.frame.close");
  }
  out.controls.push_back({opcode_, std::exchange(control_, {})});
  return {};
}

Result<> WebSocketDecoder::feed(Bytes in, Decoded& out) {
  while (!in.empty() && !closed_) {
    if (in_frame_) {
      const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size()));
      const Bytes piece = in.first(n);
      in = in.subspan(n);
      TRY_VOID(take_payload(piece, out));
      continue;
    }
    header_.at(header_bytes_++) = in.front();
    in = in.subspan(1);
    if (header_bytes_ < 2) continue;
    const std::uint8_t second = octet(header_[1]);
    if (header_bytes_ == 2) TRY_VOID(check_start(octet(header_[0]), second, in_message_));
    if (header_bytes_ < 2 + extended_bytes(second & kLength) + kMaskBytes) continue;
    TRY_VOID(begin_frame());
    if (left_ == 0) TRY_VOID(end_frame(out));
  }
  return {};
}

void append_frame(Buffer& out, Opcode opcode, Bytes payload) {
  out.reserve(out.size() + kFrameHeaderBytesMax + payload.size());
  append_header(out, opcode, payload.size(), true, false);
  append(out, payload);
}

void append_close(Buffer& out, std::uint16_t status) {
  const std::array payload = {static_cast<std::byte>(status >> 8), static_cast<std::byte>(status & 0xff)};
  append_frame(out, Opcode::close, payload);
}

void append_client_frame(Buffer& out, Opcode opcode, Bytes payload, bool final, std::array<std::byte, 4> mask) {
  append_header(out, opcode, payload.size(), final, true);
  append(out, mask);
  const std::size_t begin = out.size();
  append(out, payload);
  for (std::size_t i = 0; i < payload.size(); ++i) out[begin + i] ^= mask[i % kMaskBytes];
}

}  // namespace picket::http
