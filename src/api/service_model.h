// The service REST model of Microsoft.Security (spec tables-and-portal, section 2): the paths and JSON that users of
// the original have scripts for, on the portal's listener, with the portal's tokens.
#pragma once

#include <optional>

#include "router.h"

namespace picket::api {

inline constexpr std::string_view kServiceApiVersion = "2019-08-01";

/// Answers paths below /subscriptions/; nullopt: the path is none of them. Resource ids are compared without case, as
/// ARM does; errors look as ARM's do.
std::optional<Response> answer_service_model(const Parts& parts, const Request& request);

}  // namespace picket::api
