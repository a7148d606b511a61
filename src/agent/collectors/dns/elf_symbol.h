// Where a function of a shared library begins in its file: what a uprobe needs.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/result.h"

namespace picket::agent {

inline constexpr std::size_t kElfSectionsMax = 256;
inline constexpr std::size_t kElfSegmentsMax = 64;
inline constexpr std::size_t kElfSymbolBytesMax = 2 << 20;  ///< Of a table of symbols, and of their names.

/// Fills `out` from the file at `offset`, or fails. Any error ends the search.
class ElfReader {
 public:
  virtual ~ElfReader() = default;
  virtual Result<> read(std::uint64_t offset, std::span<std::byte> out) = 0;
};

/// Offset in the file of the function `name` that the library defines. `word_bytes`: of the programs that are looked
/// for (4 or 8). Errors: malformed, unsupported (no ELF of this width and byte order, a function in Thumb, which
/// uprobes cannot take, tables beyond the bounds), not_found (no such function), those of `file`.
Result<std::uint64_t> function_offset(ElfReader& file, std::size_t word_bytes, std::string_view name);

}  // namespace picket::agent
