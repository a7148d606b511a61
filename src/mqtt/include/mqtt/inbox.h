// Collects received bytes until they are packets.
#pragma once

#include <optional>

#include "mqtt/codec.h"

namespace picket::mqtt {

/// A receive buffer that grows with what was received and never with what was announced. Between packets it holds no
/// memory above `kIdleBytes`, since most connections are idle most of the time.
///   inbox.append(received);
///   while (true) { TRY(auto packet, inbox.next(limits, role)); if (!packet) break; handle(*packet); }
class Inbox {
 public:
  static constexpr std::size_t kIdleBytes = 1024;

  /// Copies `received` behind what is there. Views from next() die here.
  void append(Bytes received);

  /// The next whole packet, or nullopt: more bytes are needed. Its views live until the next append().
  Result<std::optional<Packet>> next(const Limits& limits, Role role);

  /// Gives back the memory when nothing is pending: before a wait that may be long.
  void release();

  /// Bytes received and not yet returned as packets.
  [[nodiscard]] std::size_t pending_bytes() const { return buffer_.size() - at_; }
  [[nodiscard]] std::size_t capacity_bytes() const { return buffer_.capacity(); }

 private:
  Buffer buffer_;
  std::size_t at_ = 0;
};

}  // namespace picket::mqtt
