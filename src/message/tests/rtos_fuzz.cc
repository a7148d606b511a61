// FlatBuffers from anywhere: inside the buffer, bounded work, and rows that are JSON.
#include "fuzz_claims.h"

using namespace picket;
using namespace picket::message;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Decoder decoder;
  const auto message = decoder.decode(std::as_bytes(std::span(data, size)), {.mti = "2.3-1-0-0"});
  if (message) check_message(*message, {});
  return 0;
}
