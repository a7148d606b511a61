#include "agent/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/file.h"

namespace picket::agent {

Checked<std::string> read_secret_file(const std::string& path, std::size_t size_max) {
  // Not blocking: a FIFO in its place must not hold the agent up.
  const auto file = open_file(path, O_RDONLY | O_NONBLOCK);
  if (!file) return std::unexpected(path + ": cannot be read (" + describe(file.error()) + ")");
  struct stat info{};
  if (::fstat(file->get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::unexpected(path + ": is no file");
  if ((info.st_mode & 077) != 0) {
    return std::unexpected(path + ": holds a secret but others may read it; run: chmod 600 " + path);
  }
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
    return std::unexpected(path + ": belongs to another user (uid " + std::to_string(info.st_uid) + "); run: chown " +
                           std::to_string(::geteuid()) + " " + path);
  }
  auto text = read_file(path, size_max);
  if (!text) return std::unexpected(path + ": " + describe(text.error()));
  return *std::move(text);
}

}  // namespace picket::agent
