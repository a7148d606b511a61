// A regular expression that tools/baseline compiled, run over one line of text without backtracking.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/core/bytes.h"

namespace picket::agent::baseline {

/// A view of a program (docs/formats/baseline.md, "Patterns"). Time is at most program times line, memory is on the
/// stack. Case is decided by the program.
class Pattern {
 public:
  static constexpr std::size_t kProgramBytesMax = 1024;

  /// nullopt: not a program, or a longer one. `program` outlives the pattern.
  static std::optional<Pattern> check(Bytes program);
  /// Whether it is found anywhere in `line`.
  [[nodiscard]] bool found_in(std::string_view line) const;

 private:
  explicit Pattern(Bytes program) : program_(program) {}
  Bytes program_;
};

}  // namespace picket::agent::baseline
