// Walks what is watched in small steps, so that the loop of the agent stays responsive.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <dirent.h>
#include <sys/stat.h>

#include "base/core/time.h"
#include "file_system/watch_list.h"
#include "message/events.h"

namespace picket::agent {

struct WalkedFile {
  std::string_view path;  ///< Valid during the call.
  struct statx status{};  ///< Of the path itself, not of what a link leads to.
  [[nodiscard]] bool is_folder() const { return S_ISDIR(status.stx_mode); }
};

/// How a file changed at `since` or later, by its times, which lag the clock by a few milliseconds; nullopt: not at
/// all. What its birth is where the file system does not keep it, its last change of content is.
std::optional<message::FileMask> change_since(const WalkedFile& file, Timestamp since);

/// Visits covered paths that exist, folders before what is in them. Links are not followed; other file systems are
/// entered. A path may be visited twice when the list is not recursive.
class TreeWalk {
 public:
  static constexpr std::size_t kFoldersWaitingMax = 4096;  ///< Found but not opened yet.

  explicit TreeWalk(const WatchList& list) : list_(list) {}

  /// Begins anew with the whole list.
  void start();
  /// One more path, a folder with what is below it.
  void add(std::string_view path);
  /// Calls visit(const WalkedFile&) for at most `entries_max`. False: the walk is over.
  template <class Visit>
  bool step(std::size_t entries_max, Visit visit) {
    for (std::size_t i = 0; i < entries_max; ++i) {
      WalkedFile file;
      if (!next(file)) return false;
      visit(file);
    }
    return true;
  }
  [[nodiscard]] bool going() const { return folder_ || !paths_.empty() || !folders_.empty(); }
  /// Folders that were left out because too many waited; asking sets it to 0.
  std::size_t take_left_out() { return std::exchange(left_out_, 0); }

 private:
  bool next(WalkedFile& file);
  bool look_at(std::string path, WalkedFile& file);

  const WatchList& list_;
  std::vector<std::string> paths_;    // to be looked at
  std::vector<std::string> folders_;  // to be opened
  std::unique_ptr<DIR, int (*)(DIR*)> folder_{nullptr, closedir};
  std::string folder_path_, path_;
  std::size_t left_out_ = 0;
};

}  // namespace picket::agent
