// The workspace's tables as the query language names them.
#pragma once

#include "kql/schema.h"
#include "workspace/schema.h"

namespace picket::server {

/// Every table and view: shown columns; hidden ones (`Type`, `_BilledSize`) that a query may name; the promoted columns
/// of the event families, for paths into EventDetails (decisions.md 20).
kql::Schema make_query_schema(const workspace::Schema& schema);

}  // namespace picket::server
