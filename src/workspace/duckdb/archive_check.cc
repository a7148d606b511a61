#include "duckdb/archive_check.h"

#include "duckdb/archive_writer.h"

namespace picket::workspace {

Outcome<> ArchiveCheck::verify(const std::string& path, const TableExtent& extent) {
  {
    const std::lock_guard lock(mutex_);
    if (good_.contains(path)) return {};
  }
  const auto crc = file_crc(path, extent.bytes);
  if (!crc) return std::unexpected(EngineError(crc.error(), "the archive's file " + path + " cannot be read"));
  if (*crc != extent.crc) {
    return std::unexpected(EngineError(Error{Errc::malformed, "workspace.archive.damaged"},
                                       "the archive's file " + path + " is damaged: its checksum is wrong"));
  }
  const std::lock_guard lock(mutex_);
  good_.insert(path);
  return {};
}

void ArchiveCheck::forget(const std::string& path) {
  const std::lock_guard lock(mutex_);
  good_.erase(path);
}

}  // namespace picket::workspace
