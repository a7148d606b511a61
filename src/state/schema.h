// The tables, as a list of upgrade steps.
#pragma once

#include <span>

#include "base/core/result.h"

struct sqlite3;

namespace picket::state {

/// The tables of one domain: its create script is a constant in the domain's own file.
struct DomainScript {
  const char* domain;  ///< Named in the log when its script fails.
  const char* sql;
};

/// Brings a file from the version before to `version`. Scripts run in this order, in one transaction with the new
/// number.
struct UpgradeStep {
  int version;
  std::span<const DomainScript> scripts;
};

/// Every step, oldest first; the last one's version is kSchemaVersion. A step that has been released is never edited:
/// files in the field have run it.
std::span<const UpgradeStep> upgrade_steps();

/// Runs the steps that the file has not seen. Each is all or nothing: a crash leaves the file in a version that exists.
/// Errors: unsupported "state.schema_version" when the file is newer than this program; internal (logged).
Result<> upgrade(sqlite3* db);

}  // namespace picket::state
