#include "support/file_watch.h"

#include <array>

#include <sys/inotify.h>
#include <unistd.h>

namespace picket::agent {

Result<FileWatch> FileWatch::open(const std::vector<std::string>& paths) {
  FileWatch watch;
  watch.fd_.reset(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch.fd_.valid()) return fail_errno("agent.watch.init");
  for (const std::string& path : paths) {
    const auto slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
    // The files themselves for writes (a busy folder would wake for its neighbours), the folder for replacement.
    if (inotify_add_watch(watch.fd_.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0 ||
        inotify_add_watch(watch.fd_.get(), path.c_str(), IN_MODIFY) < 0) {
      return fail_errno("agent.watch.add");
    }
  }
  return watch;
}

void FileWatch::drain() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  while (read(fd_.get(), buffer.data(), buffer.size()) > 0) {
  }
}

}  // namespace picket::agent
