#include "support/tail_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace picket::agent {

Result<TailFile> TailFile::open(std::string path) {
  TailFile file{std::move(path)};
  TRY(file.fd_, open_file(file.path_, O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (fstat(file.fd_.get(), &status) != 0) return fail_errno("agent.tail.stat");
  if (!S_ISREG(status.st_mode)) return fail(Errc::unsupported, "agent.tail.regular_file");
  file.offset_ = status.st_size;
  return file;
}

bool TailFile::read_some(std::size_t bytes_max, Buffer& out) {
  const std::size_t before = out.size();
  out.resize(before + bytes_max);
  const ssize_t n = pread(fd_.get(), out.data() + before, bytes_max, offset_);
  const std::size_t got = n > 0 ? static_cast<std::size_t>(n) : 0;
  out.resize(before + got);
  offset_ += static_cast<off_t>(got);
  return got < bytes_max;
}

bool TailFile::poll(std::size_t bytes_max, Buffer& out) {
  struct stat ours{}, named{};
  if (fstat(fd_.get(), &ours) != 0) return true;
  if (ours.st_size < offset_) offset_ = 0;
  // The old file to its end first, then the new one from its beginning.
  if (!read_some(bytes_max, out)) return false;
  if (stat(path_.c_str(), &named) != 0 || (named.st_ino == ours.st_ino && named.st_dev == ours.st_dev)) return true;
  auto next = open_file(path_, O_RDONLY | O_CLOEXEC);
  if (!next) return true;
  fd_ = *std::move(next);
  offset_ = 0;
  return read_some(bytes_max, out);
}

}  // namespace picket::agent
