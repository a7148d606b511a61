// Follows a file that others append to, through rotation and truncation.
#pragma once

#include <string>

#include <sys/types.h>

#include "base/core/bytes.h"
#include "base/core/file.h"
#include "base/core/result.h"

namespace picket::agent {

/// Starts at the end of the file: what stands in it is not news. Watching is the caller's; poll() looks.
class TailFile {
 public:
  /// Errors: io (cannot be opened).
  static Result<TailFile> open(std::string path);

  /// Appends what is new to `out`, at most `bytes_max`. Reopens when the path names another file (rotation), starts
  /// anew when the file shrank. Returns false when there may be more.
  bool poll(std::size_t bytes_max, Buffer& out);
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit TailFile(std::string path) : path_(std::move(path)) {}
  bool read_some(std::size_t bytes_max, Buffer& out);
  std::string path_;
  UniqueFd fd_;
  off_t offset_ = 0;
};

}  // namespace picket::agent
