// Functions of shared libraries.
#include <gtest/gtest.h>

#include "tests/elf_bytes.h"

namespace picket::agent {
namespace {

constexpr std::string_view kName = "getaddrinfo";

Result<std::uint64_t> find(std::string library, std::size_t word_bytes) {
  ElfText file{std::move(library)};
  return function_offset(file, word_bytes, kName);
}

TEST(ElfSymbol, IsWhereItsSegmentStandsInTheFile) {
  const auto wide = find(elf_library<Elf64>(kLoadedAt + 0x123), 8);
  ASSERT_TRUE(wide);
  EXPECT_EQ(*wide, kSegmentOffset + 0x123);
  const auto narrow = find(elf_library<Elf32>(kLoadedAt + 0x124, EM_ARM), 4);
  ASSERT_TRUE(narrow);
  EXPECT_EQ(*narrow, kSegmentOffset + 0x124);
}

TEST(ElfSymbol, OfAnotherWidthIsRefused) {
  EXPECT_EQ(find(elf_library<Elf32>(kLoadedAt), 8).error().where, "agent.elf.class");
  EXPECT_EQ(find(elf_library<Elf64>(kLoadedAt), 4).error().where, "agent.elf.class");
}

TEST(ElfSymbol, InThumbIsRefused) {
  EXPECT_EQ(find(elf_library<Elf32>(kLoadedAt + 0x101, EM_ARM), 4).error().where, "agent.elf.thumb");
}

TEST(ElfSymbol, OutsideOfEverySegmentIsMalformed) {
  EXPECT_EQ(find(elf_library<Elf64>(kLoadedAt + kSegmentBytes), 8).error().where, "agent.elf.address");
  EXPECT_TRUE(find(elf_library<Elf64>(kLoadedAt + kSegmentBytes - 1), 8));
}

TEST(ElfSymbol, ThatIsOnlyImportedIsNotFound) {
  auto library = elf_library<Elf64>(0);
  EXPECT_EQ(find(library, 8).error().where, "agent.elf.symbol");
}

TEST(ElfSymbol, IsAnErrorAtEveryTruncation) {
  const auto whole = elf_library<Elf64>(kLoadedAt);
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(find(whole.substr(0, n), 8)) << n << " bytes";
}

TEST(ElfSymbol, TablesBeyondTheBoundsAreRefused) {
  auto library = elf_library<Elf64>(kLoadedAt);
  Elf64_Shdr symbols;
  const std::size_t at = 0x100 + sizeof(symbols);
  std::memcpy(&symbols, library.data() + at, sizeof(symbols));
  symbols.sh_size = kElfSymbolBytesMax + 1;
  put(library, at, symbols);
  EXPECT_EQ(find(library, 8).error().where, "agent.elf.symbols");
}

}  // namespace
}  // namespace picket::agent
