// Claim: what the set reads from a file it writes again, byte for byte; damage is refused and leaves an empty set.
#include <algorithm>
#include <cstdlib>

#include "support/snapshot_difference.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::agent;
  SnapshotDifference set("");
  // The checksum would keep the fuzzer out: it is made right, as by one who can write the file.
  Buffer file(size + 4);
  std::copy_n(std::as_bytes(std::span(data, size)).begin(), size, file.begin());
  const std::uint32_t sum = crc32c(Bytes(file).first(size));
  for (std::size_t i = 0; i < 4; ++i) file[size + i] = static_cast<std::byte>(sum >> (8 * i));
  if (!set.decode(file)) {
    if (set.size() != 0) std::abort();
    return 0;
  }
  if (set.encode() != file) std::abort();
  (void)set.begin(Timestamp{1'800'000'000'000'000});
  set.see("a", "b", "c");
  while (!set.next_removed().empty()) {
  }
  set.finish();
  if (set.size() > SnapshotDifference::kItemsMax) std::abort();
  return 0;
}
