// Files with the failure modes spelled out: owned descriptors, whole reads and writes, durable replacement.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <sys/types.h>

#include "base/core/bytes.h"
#include "base/core/result.h"

namespace picket {

/// Owns a file descriptor; closes it once.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode = 0600);
/// Reads the whole file; limit_exceeded when it is larger than `size_max` bytes.
Result<std::string> read_file(const std::string& path, std::size_t size_max);
Result<> write_all(int fd, Bytes bytes);
/// Positional write of everything.
Result<> write_all_at(int fd, Bytes bytes, std::uint64_t offset);
/// Makes the names in a folder durable (fsync of the directory).
Result<> sync_directory(const std::string& path);
/// Writes a temporary file beside `path`, fsyncs, renames over it, fsyncs the folder: after a crash there is the old
/// content or the new one.
Result<> replace_file(const std::string& path, Bytes content, mode_t mode = 0600);
/// mkdir -p; the last folder gets `mode`.
Result<> make_directories(const std::string& path, mode_t mode = 0700);

}  // namespace picket
