// The list of a backup: which files it has, and their sums (docs/formats/backup.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::server {

inline constexpr std::uint32_t kBackupFormat = 1;
inline constexpr const char* kBackupListName = "BACKUP";
inline constexpr std::size_t kBackupListBytesMax = 64U << 20;

struct BackupFile {
  std::string path;  ///< Relative; no "..", not absolute.
  std::uint64_t bytes = 0;
  std::uint32_t crc = 0;  ///< CRC-32C.

  friend bool operator==(const BackupFile&, const BackupFile&) = default;
};

struct BackupList {
  std::string program;
  int data_version = 0;
  Timestamp taken;
  std::vector<BackupFile> files;

  friend bool operator==(const BackupList&, const BackupList&) = default;
};

std::string encode_backup_list(const BackupList& list);
/// Errors: malformed "backup.list", unsupported "backup.format" (newer).
Result<BackupList> decode_backup_list(std::string_view text);

}  // namespace picket::server
