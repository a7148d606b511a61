#include "base/core/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace picket {
namespace {

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode) {
  UniqueFd fd(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!fd.valid()) {
    if (errno == ENOENT) return std::unexpected(Error{Errc::not_found, "file.open", 0, errno});
    return fail_errno("file.open");
  }
  return fd;
}

Result<std::string> read_file(const std::string& path, std::size_t size_max) {
  TRY(const UniqueFd fd, open_file(path, O_RDONLY));
  std::string out;
  for (;;) {
    // Grows with what was read, never by a size that the file only announces (procfs says 0).
    const std::size_t before = out.size();
    const std::size_t chunk = std::min<std::size_t>(size_max - before + 1, 64 * 1024);
    out.resize(before + chunk);
    const ssize_t n = ::read(fd.get(), out.data() + before, chunk);
    if (n < 0 && errno == EINTR) {
      out.resize(before);
      continue;
    }
    if (n < 0) return fail_errno("file.read");
    out.resize(before + static_cast<std::size_t>(n));
    if (n == 0) return out;
    if (out.size() > size_max) return fail(Errc::limit_exceeded, "file.read.size", out.size());
  }
}

Result<> write_all(int fd, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("file.write");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<> write_all_at(int fd, Bytes bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("file.write_at");
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return {};
}

Result<> sync_directory(const std::string& path) {
  TRY(const UniqueFd fd, open_file(path, O_RDONLY | O_DIRECTORY));
  if (::fsync(fd.get()) != 0) return fail_errno("file.sync_directory");
  return {};
}

Result<> replace_file(const std::string& path, Bytes content, mode_t mode) {
  const std::string temporary = path + ".tmp";
  {
    TRY(const UniqueFd fd, open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode));
    // The file may have stood there with other permissions since a crash.
    if (::fchmod(fd.get(), mode) != 0) return fail_errno("file.replace.chmod");
    TRY_VOID(write_all(fd.get(), content));
    if (::fsync(fd.get()) != 0) return fail_errno("file.replace.sync");
  }
  if (std::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("file.replace.rename");
  return sync_directory(parent_of(path));
}

Result<> make_directories(const std::string& path, mode_t mode) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    if (::mkdir(path.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST) return fail_errno("file.mkdir");
  }
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return fail_errno("file.mkdir");
  return {};
}

}  // namespace picket
