#include "dns/elf_symbol.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <elf.h>

#include "base/core/cursor.h"

namespace picket::agent {
namespace {

constexpr std::size_t kChunkSymbols = 256;

Error malformed(std::string_view where) { return Error{.code = Errc::malformed, .where = where}; }

/// Reads numbers whose width is the file's.
struct Words : Cursor {
  Words(Bytes bytes, std::size_t width) : Cursor(bytes), word_bytes(width) {}
  Result<std::uint64_t> word() {
    if (word_bytes == 8) return le<std::uint64_t>();
    TRY(const std::uint32_t narrow, le<std::uint32_t>());
    return narrow;
  }
  std::size_t word_bytes;
};

struct Header {
  std::uint64_t segments = 0, sections = 0;
  std::size_t segment_bytes = 0, segment_count = 0, section_bytes = 0, section_count = 0;
  bool arm = false;
};

struct Segment {
  std::uint64_t offset = 0, address = 0, bytes = 0;
};

struct Section {
  std::uint32_t type = 0, link = 0;
  std::uint64_t offset = 0, bytes = 0;
};

class Elf {
 public:
  Elf(ElfReader& file, std::size_t word_bytes) : file_(file), word_bytes_(word_bytes) {}

  Result<std::uint64_t> find(std::string_view name) {
    TRY_VOID(read_header());
    TRY(const Section symbols, dynamic_symbols());
    TRY(const Section names, section(symbols.link));
    if (symbols.bytes > kElfSymbolBytesMax || names.bytes > kElfSymbolBytesMax) {
      return fail(Errc::unsupported, "agent.elf.symbols");
    }
    TRY(const Buffer texts, read(names.offset, static_cast<std::size_t>(names.bytes)));
    const std::size_t symbol_bytes = word_bytes_ == 8 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
    std::uint64_t left = symbols.bytes / symbol_bytes, at = symbols.offset;
    while (left > 0) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(left, kChunkSymbols));
      TRY(const Buffer chunk, read(at, count * symbol_bytes));
      for (std::size_t i = 0; i < count; ++i) {
        TRY(const auto address, defined_at(Bytes(chunk).subspan(i * symbol_bytes, symbol_bytes), as_text(texts), name));
        if (address) return offset_of(*address);
      }
      at += count * symbol_bytes;
      left -= count;
    }
    return fail(Errc::not_found, "agent.elf.symbol");
  }

 private:
  Result<Buffer> read(std::uint64_t offset, std::size_t bytes) {
    Buffer out(bytes);
    TRY_VOID(file_.read(offset, out));
    return out;
  }

  Result<> read_header() {
    TRY(const Buffer bytes, read(0, word_bytes_ == 8 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)));
    Words in{bytes, word_bytes_};
    TRY(const Bytes ident, in.take(EI_NIDENT));
    const auto is = [&](std::size_t at, unsigned value) { return ident[at] == static_cast<std::byte>(value); };
    if (as_text(ident).substr(0, SELFMAG) != ELFMAG) return std::unexpected(malformed("agent.elf.magic"));
    if (!is(EI_CLASS, word_bytes_ == 8 ? ELFCLASS64 : ELFCLASS32) || !is(EI_DATA, ELFDATA2LSB)) {
      return fail(Errc::unsupported, "agent.elf.class");
    }
    TRY(const std::uint16_t type, in.le<std::uint16_t>());
    if (type != ET_DYN) return fail(Errc::unsupported, "agent.elf.type");
    TRY(const std::uint16_t machine, in.le<std::uint16_t>());
    header_.arm = machine == EM_ARM;
    TRY_VOID(in.take(4 + word_bytes_));  // version, entry
    TRY(header_.segments, in.word());
    TRY(header_.sections, in.word());
    TRY_VOID(in.take(4 + 2));  // flags, size of this header
    std::array<std::uint16_t, 4> sizes{};
    for (std::uint16_t& each : sizes) {
      TRY(each, in.le<std::uint16_t>());
    }
    header_.segment_bytes = sizes[0];
    header_.segment_count = sizes[1];
    header_.section_bytes = sizes[2];
    header_.section_count = sizes[3];
    const bool whole = header_.segment_bytes >= (word_bytes_ == 8 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)) &&
                       header_.section_bytes >= (word_bytes_ == 8 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr));
    if (!whole) return std::unexpected(malformed("agent.elf.header"));
    if (header_.segment_count > kElfSegmentsMax || header_.section_count > kElfSectionsMax) {
      return fail(Errc::unsupported, "agent.elf.header");
    }
    return {};
  }

  Result<Section> section(std::size_t index) {
    if (index >= header_.section_count) return std::unexpected(malformed("agent.elf.section"));
    TRY(const Buffer bytes, read(header_.sections + index * header_.section_bytes, header_.section_bytes));
    Words in{bytes, word_bytes_};
    Section out;
    TRY_VOID(in.take(4));  // name
    TRY(out.type, in.le<std::uint32_t>());
    TRY_VOID(in.take(2 * word_bytes_));  // flags, address
    TRY(out.offset, in.word());
    TRY(out.bytes, in.word());
    TRY(out.link, in.le<std::uint32_t>());
    return out;
  }

  Result<Section> dynamic_symbols() {
    for (std::size_t i = 0; i < header_.section_count; ++i) {
      TRY(const Section each, section(i));
      if (each.type == SHT_DYNSYM) return each;
    }
    return fail(Errc::not_found, "agent.elf.symbols");
  }

  /// Address of the function that `symbol` is, if it has this name and is defined here.
  Result<std::optional<std::uint64_t>> defined_at(Bytes symbol, std::string_view texts, std::string_view name) const {
    Words in{symbol, word_bytes_};
    std::uint64_t address = 0;
    TRY(const std::uint32_t text_at, in.le<std::uint32_t>());
    if (word_bytes_ == 4) {  // the order differs
      TRY(address, in.word());
      TRY_VOID(in.take(4));
    }
    TRY(const std::uint8_t info, in.le<std::uint8_t>());
    TRY_VOID(in.take(1));
    TRY(const std::uint16_t in_section, in.le<std::uint16_t>());
    if (word_bytes_ == 8) {
      TRY(address, in.word());
    }
    if ((info & 15) != STT_FUNC || in_section == SHN_UNDEF || address == 0 || text_at >= texts.size())
      return std::nullopt;
    const auto text = texts.substr(text_at);
    if (!text.starts_with(name) || text.size() <= name.size() || text[name.size()] != '\0') return std::nullopt;
    return address;
  }

  Result<std::uint64_t> offset_of(std::uint64_t address) {
    if (header_.arm && (address & 1) != 0) return fail(Errc::unsupported, "agent.elf.thumb");
    for (std::size_t i = 0; i < header_.segment_count; ++i) {
      TRY(const Buffer bytes, read(header_.segments + i * header_.segment_bytes, header_.segment_bytes));
      Words in{bytes, word_bytes_};
      Segment segment;
      TRY(const std::uint32_t type, in.le<std::uint32_t>());
      TRY_VOID(in.take(word_bytes_ == 8 ? 4 : 0));  // flags
      TRY(segment.offset, in.word());
      TRY(segment.address, in.word());
      TRY_VOID(in.take(word_bytes_));
      TRY(segment.bytes, in.word());
      if (type != PT_LOAD || address < segment.address || address - segment.address >= segment.bytes) continue;
      return segment.offset + (address - segment.address);
    }
    return std::unexpected(malformed("agent.elf.address"));
  }

  ElfReader& file_;
  std::size_t word_bytes_;
  Header header_;
};

}  // namespace

Result<std::uint64_t> function_offset(ElfReader& file, std::size_t word_bytes, std::string_view name) {
  return Elf{file, word_bytes}.find(name);
}

}  // namespace picket::agent
