#include "support/name_watch.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <sys/inotify.h>
#include <unistd.h>

namespace picket::agent {

Result<NameWatch> NameWatch::open() {
  NameWatch watch;
  watch.fd_.reset(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch.fd_.valid()) return fail_errno("agent.name_watch.init");
  return watch;
}

Result<> NameWatch::add(const std::string& folder, std::vector<std::string> names) {
  if (folders_.size() >= kFoldersMax) return fail(Errc::limit_exceeded, "agent.name_watch.folders");
  const int watch = inotify_add_watch(
      fd_.get(), folder.c_str(), IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ONLYDIR);
  if (watch < 0) return fail_errno("agent.name_watch.add");
  folders_.push_back({watch, std::move(names)});
  return {};
}

bool NameWatch::wanted(int watch, std::string_view name) const {
  for (const Folder& folder : folders_) {
    if (folder.watch == watch && (folder.names.empty() || std::ranges::find(folder.names, name) != folder.names.end()))
      return true;
  }
  return false;
}

bool NameWatch::drain() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  bool news = false;
  for (int turn = 0; turn < 16; ++turn) {
    const ssize_t n = read(fd_.get(), buffer.data(), buffer.size());
    if (n <= 0) break;
    std::string_view rest(buffer.data(), static_cast<std::size_t>(n));
    while (rest.size() >= sizeof(inotify_event)) {
      inotify_event event;
      std::memcpy(&event, rest.data(), sizeof event);
      rest.remove_prefix(sizeof event);
      const auto padded = rest.substr(0, event.len);
      rest.remove_prefix(padded.size());
      news = news || (event.mask & IN_Q_OVERFLOW) != 0 || wanted(event.wd, padded.substr(0, padded.find('\0')));
    }
  }
  return news;
}

}  // namespace picket::agent
