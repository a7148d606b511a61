// The workspace's tables as the query language names them.
#pragma once

#include "kql/schema.h"
#include "workspace/schema.h"

namespace picket::server {

/// Every table and view with its shown columns; hidden columns resolve only where an engine's view shows them.
kql::Schema make_query_schema(const workspace::Schema& schema);

}  // namespace picket::server
