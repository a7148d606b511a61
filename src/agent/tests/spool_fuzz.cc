// A damaged or hostile spool directory: opens or says why not, and whatever it gives can be acknowledged until it is
// empty. First byte: length of the first segment in units of 64 bytes; then its bytes; the rest is the state file.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <unistd.h>

#include "agent/spool.h"
#include "spool_format.h"

using namespace picket;
using namespace picket::agent;

namespace {

void write_file(const std::string& path, Bytes bytes) { std::ofstream(path, std::ios::binary) << as_text(bytes); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes all = std::as_bytes(std::span(data + 1, size - 1));
  const std::size_t cut = std::min<std::size_t>(all.size(), std::size_t{data[0]} * 64);

  // Reading what was written gives it back; damage is never taken for another entry.
  Buffer entry;
  spool_format::write_entry(entry, 7, Timestamp{1}, all);
  Cursor in{Bytes(entry)};
  const auto again = spool_format::read_entry(in);
  if (all.size() <= kSpoolPayloadMax && (!again || as_text(again->payload) != as_text(all))) std::abort();

  static const std::string directory =
      (std::filesystem::temp_directory_path() / ("picket-spool-fuzz-" + std::to_string(::getpid()))).string();
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  write_file(directory + "/0000000000000001-medium.spool", all.first(cut));
  write_file(directory + "/state", all.subspan(cut));
  {
    constexpr Timestamp kNow{1'800'000'000'000'000};
    auto spool = Spool::open({.directory = directory}, kNow);
    if (spool) {
      const std::uint64_t before = spool->pending() + spool->drops().total();
      std::uint64_t given = 0;
      while (const auto each = spool->next(kNow)) {
        ++given;
        if (!spool->acknowledge(each->id)) std::abort();
      }
      if (given + spool->drops().total() < before) std::abort();
      if (!spool->append(Priority::low, as_bytes("x"), kNow)) std::abort();
    }
  }
  std::filesystem::remove_all(directory);
  return 0;
}
