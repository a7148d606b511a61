// The gate passes the same bytes however they come, never more than came, and nothing between two frames is lost: what
// it passes passes again, unchanged, through another gate.
#include <cstdint>
#include <cstdlib>

#include "frame_gate.h"

namespace {

using namespace picket;

Buffer pass(hub::amqp::FrameGate& gate, Bytes bytes) {
  Buffer out;
  while (!bytes.empty()) append(out, gate.take(bytes));
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto all = std::as_bytes(std::span(data + 1, size - 1));
  const auto step = std::size_t{1} + data[0] % 64;
  hub::amqp::FrameGate whole;
  const auto expected = pass(whole, all);
  if (expected.size() > all.size()) std::abort();
  hub::amqp::FrameGate cut;
  Buffer passed;
  for (std::size_t at = 0; at < all.size(); at += step) {
    append(passed, pass(cut, all.subspan(at, std::min(step, all.size() - at))));
  }
  if (passed != expected || whole.repeated() != cut.repeated()) std::abort();
  hub::amqp::FrameGate again;
  if (pass(again, expected) != expected) std::abort();
  return 0;
}
