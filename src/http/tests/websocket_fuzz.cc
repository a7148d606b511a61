// Claims: how the input is cut does not matter; what a client encodes is what is decoded.
#include <cstdlib>
#include <span>

#include "http/websocket_codec.h"

namespace {

using picket::Bytes;
using picket::http::Decoded;
using picket::http::WebSocketDecoder;

struct Outcome {
  Decoded decoded;
  bool broken = false;
};

Outcome decode(Bytes first, Bytes second) {
  WebSocketDecoder decoder;
  Outcome out;
  out.broken = !decoder.feed(first, out.decoded);
  if (!out.broken) out.broken = !decoder.feed(second, out.decoded);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket::http;
  if (size < 1) return 0;
  const auto all = std::as_bytes(std::span(data + 1, size - 1));
  const std::size_t cut = all.empty() ? 0 : data[0] % (all.size() + 1);
  const auto whole = decode(all, {});
  const auto parts = decode(all.first(cut), all.subspan(cut));
  if (whole.broken != parts.broken || whole.decoded.data != parts.decoded.data ||
      whole.decoded.controls != parts.decoded.controls || whole.decoded.data.size() > all.size()) {
    std::abort();
  }

  picket::Buffer encoded;
  append_client_frame(encoded, Opcode::binary, all.first(cut), false, {std::byte{data[0]}, std::byte{1}, std::byte{2}});
  append_client_frame(encoded, Opcode::continuation, all.subspan(cut), true, {});
  const auto decoded = decode(encoded, {});
  if (decoded.broken || decoded.decoded.data != picket::Buffer(all.begin(), all.end())) std::abort();
  return 0;
}
