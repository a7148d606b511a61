// Records of the kernel's audit, as the tiers "audit" read them along: by multicast, with the account of what was lost.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "agent/collector.h"
#include "base/core/file.h"
#include "base/core/time.h"
#include "support/audit_socket.h"

namespace picket::agent {

/// What the tiers that read audit do alike. One thread; kMessagesMax a call of read().
class AuditTier {
 public:
  static constexpr int kReceiveBufferBytes = 4 << 20;
  static constexpr Duration kCheck = Duration::seconds(30);  ///< Of what was lost, and whether rules are still there.

  /// `lost` as the kernel's status tells it now.
  AuditTier(UniqueFd multicast, std::uint32_t lost, Duration now)
      : multicast_(std::move(multicast)), fd_(multicast_.get()), lost_(lost), checked_(now) {}

  [[nodiscard]] std::span<const int> fds() const { return {&fd_, 1}; }

  /// Gives what is there to `take(type, text)`.
  template <class Take>
  void read(Counters& counters, Take&& take) {
    for (int i = 0; i < kMessagesMax; ++i) {
      std::array<std::byte, kMessageBytesMax> buffer;
      const AuditMessage message = next_audit_message(multicast_.get(), buffer);
      if (message.kind == AuditMessage::Kind::none) break;
      if (message.kind == AuditMessage::Kind::overflow) {  // the kernel tells that it lost some, not how many
        ++counters.seen;
        ++counters.dropped_kernel;
        continue;
      }
      take(message.type, message.text);
    }
  }

  /// Delay until check() is due; zero: now.
  [[nodiscard]] Duration wait(Duration now) const { return std::max(Duration{}, kCheck - (now - checked_)); }

  /// A check was due: `hold` sees to the rules, since somebody may have removed all; then what was lost is counted.
  /// Returns the status, unless the kernel does not tell it.
  template <class Rules>
  Result<AuditStatus> check(Rules& rules, Counters& counters, Duration now) {
    checked_ = now;
    (void)rules.hold();
    TRY(const AuditStatus status, rules.control().status());
    // Audit counts records, of anybody's rules: each may have been one of ours.
    counters.seen += status.lost - lost_;
    counters.dropped_kernel += status.lost - lost_;
    lost_ = status.lost;
    return status;
  }

 private:
  static constexpr int kMessagesMax = 4096;
  static constexpr std::size_t kMessageBytesMax = 16384;  // MAX_AUDIT_MESSAGE_LENGTH is 8970

  UniqueFd multicast_;
  int fd_;
  std::uint32_t lost_;
  Duration checked_;
};

}  // namespace picket::agent
