// Wakes when one of a few names in watched folders is written, replaced or removed: inotify on the folders.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/file.h"
#include "base/core/result.h"

namespace picket::agent {

/// Unlike FileWatch it follows files that are always replaced (passwd, dpkg's status), and files that do not exist yet.
class NameWatch {
 public:
  static constexpr std::size_t kFoldersMax = 16;

  /// Errors: io (no inotify instance is left).
  static Result<NameWatch> open();
  /// Watches `names` in `folder`; no name: all of them. A few folders. Errors: io (no such folder, no watch is left),
  /// limit_exceeded.
  Result<> add(const std::string& folder, std::vector<std::string> names);
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Takes what waits, at most 64 KiB. True: one of the names was in it, or notices were lost.
  bool drain();

 private:
  struct Folder {
    int watch;
    std::vector<std::string> names;
  };
  [[nodiscard]] bool wanted(int watch, std::string_view name) const;

  UniqueFd fd_;
  std::vector<Folder> folders_;
};

}  // namespace picket::agent
