// Wakes when one of a few files changes or is replaced: inotify on the files' folders.
#pragma once

#include <string>
#include <vector>

#include "base/core/file.h"
#include "base/core/result.h"

namespace picket::agent {

class FileWatch {
 public:
  /// Watches the folders of `paths`. Errors: io.
  static Result<FileWatch> open(const std::vector<std::string>& paths);
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Takes all waiting notices; which file it was is for the reader to find out.
  void drain();

 private:
  UniqueFd fd_;
};

}  // namespace picket::agent
