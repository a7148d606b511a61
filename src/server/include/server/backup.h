// Copies of a data directory: made while a server runs on it, checked, and made a data directory again.
#pragma once

#include <cstdint>
#include <string>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::server {

/// What a backup holds.
struct BackupInfo {
  std::string program;  ///< Version of the Picket that made it.
  Timestamp taken;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

/// Copies the data directory `data` into the new or empty folder `backup` (docs/formats/backup.md). A server may run on
/// it: what is copied is what a crash at this moment would leave, so that nothing that was acknowledged before the call
/// is missing. Half a backup has no list and is none; after a failure nothing is left of it. Errors: not_found
/// "backup.data" (no data directory), denied "backup.target" (the folder has something in it), io. `detail`: the file
/// or folder, for people.
Result<BackupInfo> make_backup(const std::string& data, const std::string& backup, const std::string& program,
                               Timestamp now, std::string& detail);

/// Reads every file of a backup. Errors: not_found "backup.list" (no backup, or half of one), malformed "backup.list",
/// unsupported "backup.format", "backup.data_version" (made by a newer Picket), malformed "backup.file" (missing, of
/// another size or content: `detail` names it), io.
Result<BackupInfo> check_backup(const std::string& backup, std::string& detail);

/// Makes `data`, which does not exist or is empty, from a backup; all of it or nothing. Errors as check_backup; denied
/// "restore.target" (the folder has something in it).
Result<BackupInfo> restore_backup(const std::string& backup, const std::string& data, std::string& detail);

}  // namespace picket::server
