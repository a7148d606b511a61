// A small shared library as bytes: one segment, a table of symbols and their names.
#pragma once

#include <cstring>
#include <string>

#include <elf.h>

#include "dns/elf_symbol.h"

namespace picket::agent {

class ElfText final : public ElfReader {
 public:
  explicit ElfText(std::string text) : text_(std::move(text)) {}
  Result<> read(std::uint64_t offset, std::span<std::byte> out) override {
    if (offset > text_.size() || out.size() > text_.size() - offset) return fail(Errc::truncated, "test.elf");
    std::memcpy(out.data(), text_.data() + offset, out.size());
    return {};
  }

 private:
  std::string text_;
};

template <class Raw>
void put(std::string& out, std::size_t at, const Raw& raw) {
  if (out.size() < at + sizeof(raw)) out.resize(at + sizeof(raw));
  std::memcpy(out.data() + at, &raw, sizeof(raw));
}

struct Elf64 {
  using Ehdr = Elf64_Ehdr;
  using Phdr = Elf64_Phdr;
  using Shdr = Elf64_Shdr;
  using Sym = Elf64_Sym;
  static constexpr unsigned kClass = ELFCLASS64;
};
struct Elf32 {
  using Ehdr = Elf32_Ehdr;
  using Phdr = Elf32_Phdr;
  using Shdr = Elf32_Shdr;
  using Sym = Elf32_Sym;
  static constexpr unsigned kClass = ELFCLASS32;
};

inline constexpr unsigned kLoadedAt = 0x10000, kSegmentOffset = 0x400, kSegmentBytes = 0x1000;

/// A library whose symbols are "other" (defined at the segment's begin), "getaddrinfo" (not defined) and "getaddrinfo"
/// at `address`.
template <class Elf>
std::string elf_library(std::uint32_t address, unsigned machine = EM_X86_64) {
  const std::string names = std::string("\0other\0getaddrinfo\0getaddrinfo_a\0", 33);
  typename Elf::Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = Elf::kClass;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_type = ET_DYN;
  header.e_machine = static_cast<std::uint16_t>(machine);
  header.e_phoff = 0x80;
  header.e_shoff = 0x100;
  header.e_phentsize = sizeof(typename Elf::Phdr);
  header.e_phnum = 1;
  header.e_shentsize = sizeof(typename Elf::Shdr);
  header.e_shnum = 3;
  typename Elf::Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_offset = kSegmentOffset;
  segment.p_vaddr = kLoadedAt;
  segment.p_filesz = segment.p_memsz = kSegmentBytes;
  typename Elf::Shdr symbols{}, texts{};
  symbols.sh_type = SHT_DYNSYM;
  symbols.sh_offset = 0x200;
  symbols.sh_size = 4 * sizeof(typename Elf::Sym);
  symbols.sh_link = 2;
  texts.sh_type = SHT_STRTAB;
  texts.sh_offset = 0x300;
  texts.sh_size = static_cast<std::uint32_t>(names.size());
  const auto symbol = [](unsigned name, unsigned section, std::uint32_t value) {
    typename Elf::Sym out{};
    out.st_name = name;
    out.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    out.st_shndx = static_cast<std::uint16_t>(section);
    out.st_value = value;
    return out;
  };
  std::string out;
  put(out, 0, header);
  put(out, 0x80, segment);
  put(out, 0x100 + sizeof(symbols), symbols);
  put(out, 0x100 + 2 * sizeof(symbols), texts);
  put(out, 0x200, symbol(1, 1, kLoadedAt));
  put(out, 0x200 + sizeof(typename Elf::Sym), symbol(7, SHN_UNDEF, 0));
  put(out, 0x200 + 2 * sizeof(typename Elf::Sym), symbol(19, 1, kLoadedAt + 8));  // getaddrinfo_a
  put(out, 0x200 + 3 * sizeof(typename Elf::Sym), symbol(7, 1, address));
  out.resize(0x300);
  return out + names;
}

}  // namespace picket::agent
