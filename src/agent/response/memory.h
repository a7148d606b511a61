// What response remembers over restarts: commands that were taken, whose device this is, the rotated key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::agent {

/// Files of data_dir/response, each replaced whole and durable before the command is carried out: a command that was
/// done is never done again, also not after a power loss.
class ResponseMemory {
 public:
  static constexpr std::size_t kCommandsMax = 256;

  /// Damaged files count as absent but for `seen`: then everything that was issued before the damage was found is
  /// refused as a repetition.
  static ResponseMemory open(std::string directory, Timestamp now);

  /// Remembers `id` until `expires`. Errors: exists (taken before), limit_exceeded (kCommandsMax wait for their end),
  /// io (cannot be kept; the command must not be done).
  Result<> take(std::string_view id, Timestamp issued, Timestamp expires, Timestamp now);

  /// Of the first command that was taken; empty before.
  [[nodiscard]] const std::string& hub() const { return hub_; }
  [[nodiscard]] const std::string& generation() const { return generation_; }
  Result<> remember_origin(std::string_view hub, std::string_view generation);

  /// The key that took the place of response.key_file; empty: none did.
  [[nodiscard]] const std::string& rotated_key() const { return rotated_key_; }
  Result<> rotate_key(std::string_view pem);

 private:
  struct Taken {
    std::string id;
    Timestamp expires;
  };
  explicit ResponseMemory(std::string directory) : directory_(std::move(directory)) {}
  Result<> write_taken();

  std::string directory_;
  std::vector<Taken> taken_;
  Timestamp not_before_{kTimestampMin};  ///< Commands issued earlier are refused.
  std::string hub_, generation_, rotated_key_;
};

}  // namespace picket::agent
