// Which program a process is, remembered for records that come when the process may be gone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace picket::agent {

/// Bounded table (pid, start) -> executable and argv; the oldest entry makes room. `start` is any number that tells two
/// processes with one pid apart, 0 where it is not known.
class ProgramCache {
 public:
  static constexpr std::size_t kEntriesMax = 256;
  static constexpr std::size_t kArgvKept = 1024;  ///< Longer argv keep this prefix.

  struct Program {
    std::uint32_t pid = 0;
    std::uint64_t start = 0;
    std::string executable, argv;
  };

  /// nullptr: not known. Valid until the next put().
  [[nodiscard]] const Program* find(std::uint32_t pid, std::uint64_t start) const {
    const auto is_it = [&](const Program& program) { return program.pid == pid && program.start == start; };
    if (newest_ < programs_.size() && is_it(programs_[newest_])) return &programs_[newest_];
    for (std::size_t i = 0; i < programs_.size(); ++i) {
      if (is_it(programs_[i])) return &programs_[newest_ = i];
    }
    return nullptr;
  }
  const Program& put(std::uint32_t pid, std::uint64_t start, std::string_view executable, std::string_view argv);

 private:
  std::vector<Program> programs_;
  std::size_t oldest_ = 0;
  mutable std::size_t newest_ = 0;  // found last: mostly it is asked for again
};

}  // namespace picket::agent
