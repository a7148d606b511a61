#include "return_memory.h"

#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace picket::agent {
namespace {

std::size_t resident_kib() {
  std::ifstream file("/proc/self/smaps_rollup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("Rss:")) return std::stoul(line.substr(4));
  }
  return 0;
}

TEST(ReturnMemory, GivesBackWhatIsFreeBetweenBlocksInUse) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "the sanitizer has a heap of its own";
#endif
#endif
  constexpr std::size_t kBlock = 16 << 10, kBlocks = 2000;
  std::vector<std::unique_ptr<char[]>> blocks(kBlocks);
  for (auto& block : blocks) {
    block = std::make_unique_for_overwrite<char[]>(kBlock);
    std::memset(block.get(), 7, kBlock);
  }
  for (std::size_t i = 0; i < kBlocks; i += 2) blocks[i].reset();
  const std::size_t before = resident_kib();
  return_memory();
  EXPECT_LT(resident_kib() + (8 << 10), before) << "16 MiB were free";
  for (std::size_t i = 1; i < kBlocks; i += 2) EXPECT_EQ(blocks[i][kBlock / 2], 7);
}

}  // namespace
}  // namespace picket::agent
