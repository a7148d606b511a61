// Frames and heads of a hostile server: cutting the stream must not change what comes out, and what we send comes back
// unmasked by the plain rule. First byte: where to cut; the rest: the stream.
#include <cstdlib>

#include "http_head.h"
#include "websocket.h"

using namespace picket;
using namespace picket::agent;

namespace {

struct Outcome {
  Buffer data;
  bool closed = false;
  std::string_view error;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void feed(WebSocketDecoder& decoder, Bytes piece, Outcome& out) {
  if (!out.error.empty()) return;
  Buffer bytes(piece.begin(), piece.end());
  const auto decoded = decoder.decode(bytes);
  if (!decoded) {
    out.error = decoded.error().where;
    return;
  }
  if (decoded->bytes > bytes.size()) std::abort();
  append(out.data, Bytes(bytes).first(decoded->bytes));
  out.closed = decoded->closed;
  if (decoded->ping && decoded->ping->size() > kWsControlBytesMax) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes all = std::as_bytes(std::span(data + 1, size - 1));
  const std::size_t cut = all.empty() ? 0 : data[0] % (all.size() + 1);

  Outcome whole, parts;
  WebSocketDecoder once, twice;
  feed(once, all, whole);
  feed(twice, all.first(cut), parts);
  feed(twice, all.subspan(cut), parts);
  // What stands before an error was decoded into the same span, so only the error is comparable then.
  if (whole.error != parts.error || (whole.error.empty() && whole != parts)) std::abort();

  Buffer frame;
  const std::array<std::byte, 4> mask{std::byte{data[0]}, std::byte{7}, std::byte{0}, std::byte{255}};
  append_websocket_frame(frame, WsOpcode::binary, all, mask);
  const std::size_t header = frame.size() - all.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((frame[header + i] ^ mask[i % 4]) != all[i]) std::abort();
  }

  const auto head = parse_http_head(as_text(all));
  if (head && *head) {
    if ((*head)->bytes > all.size() || (*head)->status < 100 || (*head)->status > 999) std::abort();
    (void)(*head)->field("upgrade");
  }
  (void)websocket_refusal(as_text(all), "key");
  return 0;
}
