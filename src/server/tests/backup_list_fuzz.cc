// Claims: a list that is read is written back the same; no path of it leads out of the folder; with the sum made right,
// the same holds behind the sum.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "backup_list.h"
#include "base/core/hash.h"

namespace {

void check(std::string_view text) {
  const auto list = picket::server::decode_backup_list(text);
  if (!list) return;
  for (const auto& file : list->files) {
    if (file.path.empty() || file.path.front() == '/') {
      std::abort();
    }
    if (("/" + file.path + "/").contains("/../")) std::abort();
  }
  const auto again = picket::server::decode_backup_list(picket::server::encode_backup_list(*list));
  if (!again || !(*again == *list)) std::abort();
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
