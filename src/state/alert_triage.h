// Steps of triage, in the transaction of what brought them. Private to this module.
#pragma once

#include <sqlite3.h>

#include "state/alerts.h"

namespace picket::state {

/// Keeps one step of an alert's history; the alert itself stays as it is.
Result<> add_triage(sqlite3* db, const Triage& triage);

}  // namespace picket::state
