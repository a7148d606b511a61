// Which files hold the tables: for backups.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"

namespace picket::workspace {

/// The files that a manifest (DIR/segments/<stream>/manifest, docs/formats/segments.md) names, relative to its folder.
/// They never change; one that is not there any more has left the manifest since. Errors: malformed, truncated,
/// unsupported (a newer format).
Result<std::vector<std::string>> files_of_manifest(std::string_view text);

}  // namespace picket::workspace
