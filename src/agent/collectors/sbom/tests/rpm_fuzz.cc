// Claim: a header of any bytes is refused or has a name and version; a database of any bytes ends in an error or at its
// end, after a bounded number of pages.
#include <cstdlib>

#include <sys/mman.h>
#include <unistd.h>

#include "sbom/rpm.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace picket;
  using namespace picket::agent;
  const Bytes all = std::as_bytes(std::span(data, size));
  if (const auto package = parse_rpm_header(all); package && (package->name.empty() || package->version.empty()))
    std::abort();
  if (size > (1U << 20)) return 0;
  const UniqueFd file(memfd_create("rpm", MFD_CLOEXEC));
  if (!write_all(file.get(), all)) return 0;
  auto database = RpmDatabase::open_sqlite("/proc/self/fd/" + std::to_string(file.get()));
  if (!database) return 0;
  for (std::size_t steps = 0;; ++steps) {
    const auto more = database->step([](const Package& package) {
      if (package.name.empty()) std::abort();
    });
    if (!more || !*more) break;
    if (steps > RpmDatabase::kPagesMax) std::abort();
  }
  return 0;
}
