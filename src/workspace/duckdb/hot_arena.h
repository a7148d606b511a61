// Memory of the hot rows: one reserved address range that only grows, so that readers need no lock for what is written.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/core/result.h"

namespace picket::workspace {

/// Hands out zeroed bytes of a fixed address range by offset. Pages cost memory when first written. One writer; readers
/// may read what was written before they learned of the offset. Offset 0 is never handed out.
class HotArena {
 public:
  /// Reserves `bytes` (at most 4 GiB - 1) of address space. Errors: io, limit_exceeded.
  static Result<HotArena> reserve(std::uint64_t bytes);
  HotArena(HotArena&& other) noexcept;
  HotArena& operator=(HotArena&&) = delete;
  HotArena(const HotArena&) = delete;
  HotArena& operator=(const HotArena&) = delete;
  ~HotArena();

  /// The caller has made sure that it fits (a CHECK guards it). `align`: a power of two.
  std::uint32_t allocate(std::size_t bytes, std::size_t align);
  [[nodiscard]] std::byte* at(std::uint32_t offset) const { return base_ + offset; }
  [[nodiscard]] std::uint64_t used() const { return used_; }

 private:
  HotArena(std::byte* base, std::uint64_t size) : base_(base), size_(size) {}

  std::byte* base_ = nullptr;
  std::uint64_t size_ = 0;
  std::uint64_t used_ = kFirstOffset;

  static constexpr std::uint64_t kFirstOffset = 16;
};

}  // namespace picket::workspace
