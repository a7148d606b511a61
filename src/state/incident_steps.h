// What happens to incidents when something happens to their alerts; within the transaction of that.
#pragma once

#include <cstdint>
#include <string_view>

#include <sqlite3.h>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::state {

/// An alert was closed or opened again: incidents without an open alert are closed, those that were closed and have one
/// again are active.
Result<> follow_alert(sqlite3* db, std::string_view alert_id, bool open, std::uint64_t sequence, Timestamp time);

}  // namespace picket::state
