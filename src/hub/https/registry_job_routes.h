// The files of import and export jobs: a service client brings and fetches them with its own token.
#pragma once

#include <expected>

#include "call.h"
#include "http/connection.h"

namespace picket::hub {

/// GET or PUT of `/uploads-{hub}/devices.txt`, GET of `importErrors.log`, with an Authorization header. nullptr:
/// another request of the object storage.
const CallRoute* registry_file_route(const http::Request& head);

/// After the caller is known.
std::expected<http::BodyPlan, http::Response> plan_registry_file(Call& call, const http::Request& head);

}  // namespace picket::hub
