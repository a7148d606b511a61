// Which process holds the socket that a message was sent from.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "agent/record.h"
#include "base/core/file.h"

namespace picket::agent {

/// Asks the kernel for the socket (sock_diag), then procfs for who has it open. The latter is a walk over descriptors,
/// milliseconds on a busy device, so walks are rationed; who looked up names before is asked first and is free.
class SocketOwner {
 public:
  static constexpr int kWalksMax = 20;                                 ///< In a row.
  static constexpr Duration kWalkAgain = Duration::milliseconds(500);  ///< One more each.
  static constexpr std::size_t kRecent = 8;
  static constexpr Duration kSameSocket = Duration::seconds(1);  ///< So long one keeps its process.
  static constexpr std::size_t kDescriptorsMax = 20'000;         ///< Looked at in one walk.

  explicit SocketOwner(std::string procfs);

  /// 0: unknown, or in another network namespace, or the ration is used up.
  std::uint32_t find(std::uint8_t protocol, const Endpoint& local, const Endpoint& remote, Duration now);
  /// Who owned the socket that find() asked for last; nullopt: there was none.
  [[nodiscard]] std::optional<std::uint32_t> uid() const { return uid_; }
  /// Path of its program; empty: unknown.
  [[nodiscard]] std::string executable(std::uint32_t pid) const;

 private:
  std::uint64_t inode_of(std::uint8_t protocol, const Endpoint& local, const Endpoint& remote);
  bool holds(std::uint32_t pid, std::string_view link, std::size_t& looked) const;
  std::uint32_t holder_of(std::uint64_t inode, Duration now);
  bool may_walk(Duration now);

  std::string procfs_;
  UniqueFd socket_;
  std::optional<std::uint32_t> uid_;
  std::array<std::uint32_t, kRecent> recent_{};
  std::size_t next_recent_ = 0;
  int walks_ = kWalksMax;
  Duration refilled_;
  std::uint64_t last_inode_ = 0;
  std::uint32_t last_pid_ = 0;
  Duration last_at_;
};

}  // namespace picket::agent
