// The C libraries that programs of this device use: those of the system and of its containers.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

namespace picket::agent {

inline constexpr std::size_t kLibrariesMax = 16;
inline constexpr std::size_t kMountNamespacesMax = 32;  ///< Looked at in one scan.

struct ResolverLibrary {
  dev_t device = 0;
  ino_t inode = 0;
  std::uint64_t offset = 0;  ///< Of getaddrinfo() in the file.
  std::string path;          ///< As the agent sees it, e.g. "/proc/812/root/lib/libc.so.6".
};

/// The libraries that are in the places where distributions have them, in each mount namespace that a process is in;
/// each file once, at most kLibrariesMax. Files in `known` (device, inode) are left out, and so are those without a
/// getaddrinfo() that a uprobe can be put on.
std::vector<ResolverLibrary> find_resolver_libraries(const std::string& procfs, std::size_t word_bytes,
                                                     const std::vector<std::pair<dev_t, ino_t>>& known);

}  // namespace picket::agent
