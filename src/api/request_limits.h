// Limits that a request, or `set` in its text, asks for.
#pragma once

#include <span>

#include "kql/request_properties.h"
#include "kql_run.h"

namespace picket::api {

/// `limits` as servertimeout and norequesttimeout (up to kTimeoutMax), truncationmaxrecords and truncationmaxsize (only
/// lower) change them; what is no such value is passed over, as is notruncation: the bounds of results stay.
RunLimits with_properties(RunLimits limits, std::span<const kql::RequestProperty> properties);

}  // namespace picket::api
