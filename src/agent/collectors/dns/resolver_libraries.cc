#include "dns/resolver_libraries.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/file.h"
#include "dns/elf_symbol.h"
#include "support/procfs.h"

namespace picket::agent {
namespace {

constexpr std::size_t kProcessesMax = 4096;

// glibc as Debian, Fedora, Arch and Yocto have it, musl as Alpine and OpenWrt, uClibc.
constexpr std::string_view kPlaces[] = {
#if defined(__x86_64__)
    "/lib/x86_64-linux-gnu/libc.so.6",
    "/lib/ld-musl-x86_64.so.1",
#elif defined(__aarch64__)
    "/lib/aarch64-linux-gnu/libc.so.6",
    "/lib/ld-musl-aarch64.so.1",
#elif defined(__arm__)
    "/lib/arm-linux-gnueabihf/libc.so.6",
    "/lib/ld-musl-armhf.so.1",
    "/lib/ld-musl-arm.so.1",
#elif defined(__riscv)
    "/lib/riscv64-linux-gnu/libc.so.6",
    "/lib/ld-musl-riscv64.so.1",
#endif
    "/lib64/libc.so.6",
    "/usr/lib/libc.so.6",
    "/lib/libc.so.6",
    "/lib/libc.so",
    "/lib/libuClibc.so",
};

class FileReader final : public ElfReader {
 public:
  explicit FileReader(int fd) : fd_(fd) {}
  Result<> read(std::uint64_t offset, std::span<std::byte> out) override {
    for (std::size_t done = 0; done < out.size();) {
      const ssize_t n = pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (n < 0) return fail_errno("agent.dns.library");
      if (n == 0) return fail(Errc::truncated, "agent.dns.library");
      done += static_cast<std::size_t>(n);
    }
    return {};
  }

 private:
  int fd_;
};

/// A process of each mount namespace.
std::vector<std::uint32_t> one_of_each_namespace(const std::string& procfs) {
  std::vector<std::uint32_t> pids(kProcessesMax), out;
  pids.resize(std::min(list_processes(procfs, pids), pids.size()));
  std::vector<ino_t> seen;
  for (const std::uint32_t pid : pids) {
    struct stat status{};
    const std::string space = procfs + "/" + std::to_string(pid) + "/ns/mnt";
    if (stat(space.c_str(), &status) != 0 || std::ranges::find(seen, status.st_ino) != seen.end()) continue;
    if (seen.size() == kMountNamespacesMax) break;
    seen.push_back(status.st_ino);
    out.push_back(pid);
  }
  return out;
}

}  // namespace

std::vector<ResolverLibrary> find_resolver_libraries(const std::string& procfs, std::size_t word_bytes,
                                                     const std::vector<std::pair<dev_t, ino_t>>& known) {
  std::vector<ResolverLibrary> out;
  auto seen = known;
  for (const std::uint32_t pid : one_of_each_namespace(procfs)) {
    for (const std::string_view place : kPlaces) {
      ResolverLibrary library{.path = procfs + "/" + std::to_string(pid) + "/root" + std::string(place)};
      // Not blocking: a container may have put anything there.
      const auto file = open_file(library.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
      struct stat status{};
      if (!file || fstat(file->get(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
      library.device = status.st_dev;
      library.inode = status.st_ino;
      const std::pair identity{library.device, library.inode};
      if (std::ranges::find(seen, identity) != seen.end()) continue;
      seen.push_back(identity);
      FileReader reader{file->get()};
      const auto offset = function_offset(reader, word_bytes, "getaddrinfo");
      if (!offset) continue;
      library.offset = *offset;
      out.push_back(std::move(library));
      if (out.size() == kLibrariesMax) return out;
    }
  }
  return out;
}

}  // namespace picket::agent
