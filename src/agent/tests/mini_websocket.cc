#include "mini_websocket.h"

#include <algorithm>

#include <openssl/evp.h>

#include "base/core/encoding.h"

namespace picket::agent::test {
namespace {

std::string field(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const auto from = at + name.size() + 4;
  return head.substr(from, head.find("\r\n", from) - from);
}

void append_frame(Buffer& out, unsigned first, Bytes payload) {
  out.push_back(static_cast<std::byte>(first));
  if (payload.size() < 126) {
    out.push_back(static_cast<std::byte>(payload.size()));
  } else {
    out.push_back(std::byte{126});
    out.push_back(static_cast<std::byte>(payload.size() >> 8));
    out.push_back(static_cast<std::byte>(payload.size()));
  }
  append(out, payload);
}

}  // namespace

std::string MiniWebSocket::accept(const std::string& head) {
  const std::string key = field(head, "Sec-WebSocket-Key");
  const auto decoded = from_base64(key);
  if (!head.starts_with("GET /$iothub/websocket HTTP/1.1\r\n") || field(head, "Host").empty() ||
      field(head, "Upgrade") != "websocket" || field(head, "Connection") != "Upgrade" ||
      field(head, "Sec-WebSocket-Version") != "13" || field(head, "Sec-WebSocket-Protocol") != "mqtt" || !decoded ||
      decoded->size() != 16) {
    problem = "no handshake: " + head;
    return {};
  }
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[20];
  EVP_Digest(text.data(), text.size(), digest, nullptr, EVP_sha1(), nullptr);
  return "HTTP/1.1 101 Switching Protocols\r\nupgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
         to_base64(std::as_bytes(std::span(digest))) + "\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n";
}

std::optional<Buffer> MiniWebSocket::receive(Bytes bytes) {
  append(pending_, bytes);
  Buffer out;
  for (;;) {
    const auto at = [&](std::size_t i) { return std::to_integer<unsigned>(pending_[i]); };
    if (pending_.size() < 2) return out;
    const unsigned opcode = at(0) & 0x0f;
    std::size_t header = 2, length = at(1) & 0x7f;
    if ((at(0) & 0xf0) != 0x80 || (at(1) & 0x80) == 0 || length == 127) {
      problem = "a frame that is not final, not masked or too long";
      return std::nullopt;
    }
    if (length == 126) {
      if (pending_.size() < 4) return out;
      length = at(2) << 8 | at(3);
      header = 4;
      if (length < 126) {
        problem = "a length that is not the shortest";
        return std::nullopt;
      }
    }
    if (pending_.size() < header + 4 + length) return out;
    Buffer payload;
    for (std::size_t i = 0; i < length; ++i) {
      payload.push_back(pending_[header + 4 + i] ^ pending_[header + i % 4]);
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(header + 4 + length));
    if (opcode == 2) append(out, payload);
    if (opcode == 10 && as_text(payload) == "are you there") ++pongs;
    if (opcode == 8) closed = true;
    if (opcode != 2 && opcode != 10 && opcode != 8) {
      problem = "an opcode that no client of MQTT sends";
      return std::nullopt;
    }
  }
}

Buffer MiniWebSocket::frames(Bytes bytes) {
  Buffer out;
  const std::size_t cut = bytes.size() / 2;
  append_frame(out, 0x02, bytes.first(cut));
  append_frame(out, 0x89, as_bytes("are you there"));
  append_frame(out, 0x80, bytes.subspan(cut));
  return out;
}

}  // namespace picket::agent::test
