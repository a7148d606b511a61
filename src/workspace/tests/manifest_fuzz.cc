// Claims: a manifest that is read is written back the same; with the sum made right, the same holds behind the sum.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "base/core/hash.h"
#include "manifest.h"

namespace {

void check(std::string_view text) {
  const auto manifest = picket::workspace::decode_manifest(text);
  if (!manifest) return;
  const auto again = picket::workspace::decode_manifest(picket::workspace::encode_manifest(*manifest));
  if (!again || !(*again == *manifest)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(picket::as_text(std::as_bytes(std::span(data, size))));
  check(text);
  char end[16];
  std::snprintf(end, sizeof(end), "end %08x\n", picket::crc32c(picket::as_bytes(text)));
  check(text + end);
  return 0;
}
