// The object storage of uploads: the part of Azure Storage's REST API that storage clients use with a ticket.
#pragma once

#include <expected>

#include "call.h"
#include "http/connection.h"

namespace picket::hub {

/// The route of every blob request; not in the table, since containers have names of their own.
const CallRoute& blob_route();

/// Proves the right to the blob by the signature in the query, and says where the body goes: straight into a file. The
/// refusal is XML, as storage clients read it.
std::expected<http::BodyPlan, http::Response> plan_blob(Call& call, const http::Request& head);

/// Error of a blob request.
http::Response storage_reply(const HubError& error);

}  // namespace picket::hub
