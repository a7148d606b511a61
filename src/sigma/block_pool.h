// Memory for many small blocks that grow: no header a block, and a page whose blocks are all free serves other sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace picket::sigma {

/// Blocks up to kBlockBytesMax come from pages of one size each; larger ones from the heap. A general allocator keeps a
/// header for each block and gaps where a hundred thousand groups have grown at the same time.
class BlockPool {
 public:
  static constexpr std::size_t kUnit = 16;
  static constexpr std::size_t kBlockBytesMax = 1'024;

  BlockPool() = default;
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  void* allocate(std::size_t bytes);
  void release(void* block, std::size_t bytes);
  /// What is taken from the operating system, free pages included.
  [[nodiscard]] std::size_t memory_bytes() const { return regions_.size() * kRegionBytes + large_bytes_; }
  /// What blocks in use cost.
  [[nodiscard]] std::size_t used_bytes() const { return used_pages_ * kPageBytes + large_bytes_; }

 private:
  static constexpr std::size_t kPageBytes = 4'096;
  static constexpr std::size_t kRegionBytes = 1'048'576;
  static constexpr std::size_t kClasses = kBlockBytesMax / kUnit + 1;
  static constexpr std::size_t kHeapBytes = 16;  ///< What the heap adds to a block.
  struct Page;

  static Page* page_of(void* block);
  static std::byte* begin_of(Page* page);
  Page* take_page(std::size_t size_class);
  void put_in(Page*& list, Page* page);
  void take_out(Page*& list, Page* page);

  std::vector<std::byte*> regions_;
  Page* free_pages_ = nullptr;
  Page* open_[kClasses] = {};  ///< Pages of a class with a free block.
  std::size_t used_pages_ = 0;
  std::size_t large_bytes_ = 0;
};

}  // namespace picket::sigma
