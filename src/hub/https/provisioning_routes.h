// Who registers over HTTPS.
#pragma once

#include <expected>

#include "call.h"

namespace picket::hub {

/// By a token or the client certificate of the connection. The refusal is the provisioning service's own body.
std::expected<ProvisioningGrant, http::Response> authorize_provisioning(const Call& call, const http::Request& head,
                                                                        const net::Stream& stream);

}  // namespace picket::hub
