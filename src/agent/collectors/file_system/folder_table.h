// Which folder a file handle of fanotify is, and whether what happens in it is wanted.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/file.h"
#include "base/core/result.h"
#include "file_system/watch_list.h"

namespace picket::agent {

/// Asks the kernel once a folder. Folders that are watched stay known, so that a folder which was deleted still has its
/// path; of the others the newest kOthersMax.
class FolderTable {
 public:
  static constexpr std::size_t kFileSystemsMax = 16;
  static constexpr std::size_t kWatchedMax = 4096;
  static constexpr std::size_t kOthersMax = 1024;

  struct Folder {
    std::string path;
    Interest interest = Interest::none;
  };

  explicit FolderTable(const WatchList& list) : list_(list) {}

  /// The file system that `path` is on, when it is new: true. Errors: io, limit_exceeded.
  Result<bool> add_file_system(const std::string& path);
  /// Remembers an existing folder by its path. False: no room, no handle, or its file system was not added.
  bool add_watched(const std::string& path);
  /// nullptr: it is gone, or on another file system. Valid until the next call.
  [[nodiscard]] const Folder* find(Bytes folder);
  /// Paths are no longer what they were.
  void forget_others() { others_.clear(); }
  void forget_watched() { watched_.clear(); }

 private:
  struct FileSystem {
    std::string id;  // kFileSystemIdBytes
    UniqueFd place;
  };
  [[nodiscard]] const FileSystem* file_system(std::string_view id) const;
  [[nodiscard]] std::string path_of(std::string_view key) const;

  const WatchList& list_;
  std::vector<FileSystem> file_systems_;
  std::unordered_map<std::string, Folder> watched_, others_;  // by file system and handle
};

}  // namespace picket::agent
