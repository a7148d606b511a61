// Who makes a call, and whether that is true.
#pragma once

#include "call.h"

namespace picket::hub {

/// Fills in Call::caller as the route asks. Errors: 401003, 403012, 404001 (device calls of a device that is not
/// there), 503003 (the store does not answer). A failure of credentials is in the operations log then.
HubResult<> authorize(Call& call, const http::Request& head, const net::Stream& stream);

}  // namespace picket::hub
