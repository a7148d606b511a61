#include "duckdb/hot_arena.h"

#include <limits>
#include <utility>

#include <sys/mman.h>

#include "base/core/check.h"

namespace picket::workspace {

Result<HotArena> HotArena::reserve(std::uint64_t bytes) {
  if (bytes < kFirstOffset || bytes > std::numeric_limits<std::uint32_t>::max()) {
    return fail(Errc::limit_exceeded, "workspace.hot.reserve");
  }
  void* base = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return fail_errno("workspace.hot.reserve");
  return HotArena(static_cast<std::byte*>(base), bytes);
}

HotArena::HotArena(HotArena&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)), size_(other.size_), used_(other.used_) {}

HotArena::~HotArena() {
  if (base_ != nullptr) ::munmap(base_, size_);
}

std::uint32_t HotArena::allocate(std::size_t bytes, std::size_t align) {
  const std::uint64_t begin = (used_ + align - 1) & ~(static_cast<std::uint64_t>(align) - 1);
  CHECK(begin <= size_ && bytes <= size_ - begin, "append checks the bound before it writes");
  used_ = begin + bytes;
  return static_cast<std::uint32_t>(begin);
}

}  // namespace picket::workspace
