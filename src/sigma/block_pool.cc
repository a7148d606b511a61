#include "block_pool.h"

#include <cstdlib>
#include <new>

namespace picket::sigma {

/// What is known of a page; those of a region fill the region's first page.
struct BlockPool::Page {
  static constexpr std::uint16_t kNoBlock = 0xFFFF;
  std::uint32_t size_class : 7 = 0;
  std::uint32_t used : 9 = 0;
  std::uint32_t first_free : 16 = kNoBlock;  ///< In units from the page's begin; a free block names the next one.
  std::uint32_t next = 0;                    ///< Of its list, as a number; 0 is none.
  std::uint32_t previous = 0;
  std::uint32_t number = 0;  ///< Region times pages of a region, plus place.
};

BlockPool::~BlockPool() {
  for (std::byte* region : regions_) std::free(region);
}

BlockPool::Page* BlockPool::page_of(void* block) {
  const auto address = reinterpret_cast<std::uintptr_t>(block);
  auto* pages = reinterpret_cast<Page*>(address & ~(kRegionBytes - 1));
  return pages + (address & (kRegionBytes - 1)) / kPageBytes;
}

std::byte* BlockPool::begin_of(Page* page) {
  const auto address = reinterpret_cast<std::uintptr_t>(page);
  const std::size_t place = (address & (kRegionBytes - 1)) / sizeof(Page);
  return reinterpret_cast<std::byte*>(address & ~(kRegionBytes - 1)) + place * kPageBytes;
}

void BlockPool::put_in(Page*& list, Page* page) {
  page->next = list == nullptr ? 0 : list->number;
  page->previous = 0;
  if (list != nullptr) list->previous = page->number;
  list = page;
}

void BlockPool::take_out(Page*& list, Page* page) {
  const auto at = [&](std::uint32_t number) {
    constexpr std::uint32_t kPages = kRegionBytes / kPageBytes;
    return number == 0 ? nullptr : reinterpret_cast<Page*>(regions_[number / kPages]) + number % kPages;
  };
  Page* next = at(page->next);
  Page* previous = at(page->previous);
  if (next != nullptr) next->previous = page->previous;
  if (previous != nullptr) {
    previous->next = page->next;
  } else {
    list = next;
  }
}

BlockPool::Page* BlockPool::take_page(std::size_t size_class) {
  static_assert(sizeof(Page) * (kRegionBytes / kPageBytes) <= kPageBytes,
                "the pages of a region are described in its first");
  if (free_pages_ == nullptr) {
    auto* region = static_cast<std::byte*>(std::aligned_alloc(kRegionBytes, kRegionBytes));
    if (region == nullptr) throw std::bad_alloc();
    const auto first = static_cast<std::uint32_t>(regions_.size() * (kRegionBytes / kPageBytes));
    regions_.push_back(region);
    for (std::uint32_t place = kRegionBytes / kPageBytes; place-- > 1;) {
      Page* page = new (region + place * sizeof(Page)) Page;
      page->number = first + place;
      put_in(free_pages_, page);
    }
  }
  Page* page = free_pages_;
  take_out(free_pages_, page);
  ++used_pages_;
  page->size_class = static_cast<std::uint32_t>(size_class) & 0x7F;
  page->used = 0;
  page->first_free = Page::kNoBlock;
  std::byte* begin = begin_of(page);
  for (std::size_t at = kPageBytes / kUnit / size_class * size_class; at >= size_class; at -= size_class) {
    const std::size_t unit = at - size_class;
    *reinterpret_cast<std::uint16_t*>(begin + unit * kUnit) = static_cast<std::uint16_t>(page->first_free);
    page->first_free = static_cast<std::uint32_t>(unit) & 0xFFFF;
  }
  put_in(open_[size_class], page);
  return page;
}

void* BlockPool::allocate(std::size_t bytes) {
  if (bytes > kBlockBytesMax) {
    void* out = std::malloc(bytes);
    if (out == nullptr) throw std::bad_alloc();
    large_bytes_ += bytes + kHeapBytes;
    return out;
  }
  const std::size_t size_class = bytes == 0 ? 1 : (bytes + kUnit - 1) / kUnit;
  Page* page = open_[size_class] != nullptr ? open_[size_class] : take_page(size_class);
  std::byte* block = begin_of(page) + page->first_free * kUnit;
  page->first_free = *reinterpret_cast<std::uint16_t*>(block);
  page->used = (page->used + 1) & 0x1FF;
  if (page->first_free == Page::kNoBlock) take_out(open_[size_class], page);
  return block;
}

void BlockPool::release(void* block, std::size_t bytes) {
  if (block == nullptr) return;
  if (bytes > kBlockBytesMax) {
    std::free(block);
    large_bytes_ -= bytes + kHeapBytes;
    return;
  }
  Page* page = page_of(block);
  const std::size_t size_class = page->size_class;
  if (page->first_free == Page::kNoBlock) put_in(open_[size_class], page);
  *static_cast<std::uint16_t*>(block) = static_cast<std::uint16_t>(page->first_free);
  page->first_free = static_cast<std::uint32_t>((static_cast<std::byte*>(block) - begin_of(page)) / kUnit) & 0xFFFF;
  page->used = (page->used - 1) & 0x1FF;
  if (page->used != 0) return;
  take_out(open_[size_class], page);
  put_in(free_pages_, page);
  --used_pages_;
}

}  // namespace picket::sigma
