// What an installation keeps: its data directory, the state and the two journals.
#pragma once

#include <memory>
#include <string>

#include "data_directory.h"
#include "journal/journal.h"
#include "retention_clock.h"
#include "server/server.h"
#include "state/alerts.h"
#include "state/analytics.h"
#include "state/database.h"
#include "state/devices.h"
#include "state/hubs.h"
#include "state/incidents.h"
#include "state/intelligence.h"
#include "state/outbox.h"
#include "state/posture.h"
#include "state/recommendations.h"
#include "state/rules.h"
#include "state/saved_queries.h"
#include "state/solutions.h"
#include "state/suppressions.h"
#include "state/table_retention.h"
#include "state/users.h"

namespace picket::server {

/// The parts of the state; each is a view of the one database.
struct StateParts {
  state::Database& database;
  state::Devices devices{database};
  state::Users users{database};
  state::Alerts alerts{database};
  state::Incidents incidents{database};
  state::Suppressions suppressions{database};
  state::Solutions solutions{database};
  state::TableRetentions table_retentions{database};
  state::Outbox outbox{database};
  state::Recommendations recommendations{database};
  state::Posture posture{database};
  state::Rules rules{database};
  state::SavedQueries saved_queries{database};
  state::Analytics analytics{database};
  state::SecurityGroups security_groups{database};
  state::Intelligence intelligence{database};
};

/// Everything else of the server refers to it. Fixed after construction.
struct Storage {
  /// Takes the lock, opens the state and both journals, and makes what a first start needs: the sign-in secret of
  /// admin among it. Errors: those of the parts; a sentence for people goes to `detail` where the directory is at
  /// fault.
  static Result<std::unique_ptr<Storage>> open(const Options& options, const Clock& clock, std::string& detail);

  DataDirectory data;
  std::unique_ptr<state::Database> database;
  StateParts state;
  std::unique_ptr<journal::Journal> messages;  ///< What devices and operators say.
  std::unique_ptr<journal::Journal> derived;   ///< What the server makes of it.
  RetentionClock retention_clock;
};

}  // namespace picket::server
