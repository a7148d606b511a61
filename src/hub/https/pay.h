// What a call costs of the hub's rates (spec/hub.md 1.8): first it waits, then it is refused.
#pragma once

#include "call.h"
#include "hub/throttle.h"

namespace picket::hub {

/// Waits as long as the rates ask. Errors: 429001 "Retry-After" (see retry_after_reply), nothing was taken.
boost::asio::awaitable<HubResult<>> pay(Call& call, Meter meter, double amount);
/// Messages count by rate and by day. Error also 403002.
boost::asio::awaitable<HubResult<>> pay_messages(Call& call, std::size_t count, std::uint64_t blocks);

}  // namespace picket::hub
