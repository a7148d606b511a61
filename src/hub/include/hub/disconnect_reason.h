// Why a connection ended, over any head.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace picket::hub {

/// Its name is in the operations log.
enum class DisconnectReason : std::uint8_t {
  client,  ///< The client said goodbye.
  peer_gone,
  keep_alive,     ///< Nothing for 1.5 times the keep-alive.
  evicted,        ///< The same identity connected again.
  token_expired,  ///< And its grace is over.
  protocol,       ///< A packet that breaks the protocol, or uses a part that is not offered.
  topic_denied,
  message_too_large,
  bad_properties,
  too_many_subscriptions,
  slow_reader,  ///< Does not take what the hub sends.
  storage,      ///< The journal did not take a message in time, or gave it up; it was not acknowledged.
  revoked,      ///< Disabled, deleted, other credentials.
  shutdown,
  throttled,    ///< Went on far above its rate.
};
inline constexpr std::size_t kDisconnectReasons = 15;
std::string_view to_string(DisconnectReason reason);

}  // namespace picket::hub
