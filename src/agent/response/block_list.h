// The programs that must not start, as a file that outlives the agent.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/crypto.h"
#include "base/core/result.h"

namespace picket::agent {

struct BlockedProgram {
  Sha256 hash;
  std::string command_id;  ///< That asked for it.
};

/// By hash. Each change is durable before it is in force.
class BlockList {
 public:
  static constexpr std::size_t kProgramsMax = 1'024;
  static constexpr std::size_t kFileBytesMax = 192 << 10;

  explicit BlockList(std::string path) : path_(std::move(path)) {}
  /// Reads the file; none is an empty list. After an error the list is empty. Errors: those of parse(), io.
  Result<> load();
  /// {"64 hex digits":"command id", …}. Errors: malformed, limit_exceeded (kProgramsMax).
  static Result<std::vector<BlockedProgram>> parse(std::string_view text);

  /// Nothing changes after an error. Adding one that is there is none. Errors: limit_exceeded (kProgramsMax), io.
  Result<> add(const Sha256& hash, std::string_view command_id);
  /// False: it was not there. Errors: io.
  Result<bool> remove(const Sha256& hash);
  /// nullptr: may start.
  [[nodiscard]] const BlockedProgram* find(const Sha256& hash) const;
  [[nodiscard]] std::size_t size() const { return programs_.size(); }

 private:
  Result<> change(std::vector<BlockedProgram> programs);

  std::string path_;
  std::vector<BlockedProgram> programs_;  ///< In the order of hashes.
};

}  // namespace picket::agent
