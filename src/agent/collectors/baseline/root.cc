#include "baseline/root.h"

#include <algorithm>
#include <cerrno>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "baseline/lines.h"

namespace picket::agent::baseline {
namespace {

bool is_pattern(std::string_view text) { return text.find_first_of("*?") != std::string_view::npos; }

int resolve(int root, const char* path, int flags) {
  open_how how{.flags = static_cast<std::uint64_t>(flags | O_CLOEXEC), .mode = 0, .resolve = RESOLVE_IN_ROOT};
  for (int tries = 0; tries < 8; ++tries) {
    const auto fd = static_cast<int>(::syscall(SYS_openat2, root, path, &how, sizeof how));
    // EAGAIN: something was renamed on the way, so that the kernel could not vouch for "..".
    if (fd >= 0 || errno != EAGAIN) return fd;
  }
  return -1;
}

}  // namespace

Result<Root> Root::open(const std::string& path) {
  std::string name = path;
  while (name.ends_with('/')) name.pop_back();
  UniqueFd fd(::open(name.empty() ? "/" : name.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno("agent.baseline.root");
  const UniqueFd probe(resolve(fd.get(), "/", O_PATH));
  const bool resolves = probe.valid();
  if (!resolves && !name.empty()) return fail(Errc::unsupported, "agent.baseline.openat2");
  return Root(std::move(fd), std::move(name), resolves);
}

UniqueFd Root::open_file(std::string_view path, int flags) const {
  const std::string name(path);
  return UniqueFd(resolves_ ? resolve(fd_.get(), name.c_str(), flags) : ::open(name.c_str(), flags | O_CLOEXEC));
}

Found Root::read(std::string_view path, std::size_t size_max, std::string& text) const {
  text.clear();
  const UniqueFd fd = open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd.valid()) return errno == ENOENT || errno == ENOTDIR ? Found::missing : Found::unreadable;
  struct stat info{};
  if (fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return Found::unreadable;
  const auto size = static_cast<std::size_t>(std::max<off_t>(info.st_size, 0));
  if (size > size_max) return Found::too_large;
  std::size_t used = 0;  // procfs tells no size
  for (;;) {
    if (used > size_max) break;
    text.resize(std::max(used + 4096, std::min(size, size_max) + 1));
    const ssize_t n = ::read(fd.get(), text.data() + used, text.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      text.clear();
      return Found::unreadable;
    }
    used += static_cast<std::size_t>(n);
    if (n == 0) break;
  }
  text.resize(used);
  if (used <= size_max) return Found::yes;
  text = std::string();  // with its memory
  return Found::too_large;
}

Found Root::stat(std::string_view path, struct stat& info) const {
  const UniqueFd fd = open_file(path, O_PATH);
  if (!fd.valid()) return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? Found::missing : Found::unreadable;
  return fstat(fd.get(), &info) == 0 ? Found::yes : Found::unreadable;
}

bool Root::exists(std::string_view path) const { return open_file(path, O_PATH).valid(); }

std::string Root::link_target(std::string_view path) const {
  const UniqueFd fd = open_file(path, O_PATH | O_NOFOLLOW);
  char target[1024];
  const ssize_t n = fd.valid() ? readlinkat(fd.get(), "", target, sizeof target) : -1;
  return n < 0 ? std::string() : std::string(target, static_cast<std::size_t>(n));
}

std::vector<std::string> Root::list(std::string_view folder) const {
  std::vector<std::string> out;
  UniqueFd fd = open_file(folder, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  if (!fd.valid()) return out;
  const std::unique_ptr<DIR, int (*)(DIR*)> open{fdopendir(fd.get()), closedir};
  if (!open) return out;
  (void)fd.release();
  while (const dirent* entry = readdir(open.get())) {
    const std::string_view name(entry->d_name);
    if (name == "." || name == "..") continue;
    if (out.size() >= kFolderMax) break;
    out.emplace_back(name);
  }
  std::ranges::sort(out);
  return out;
}

std::vector<std::string> Root::glob(std::string_view pattern) const {
  if (!is_pattern(pattern)) return {std::string(pattern)};
  std::vector<std::string> paths{""};
  while (pattern.starts_with('/')) {
    pattern.remove_prefix(1);
    const std::string_view part = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(part.size());
    std::vector<std::string> next;
    for (const std::string& path : paths) {
      if (!is_pattern(part)) {
        next.push_back(join({path, "/", part}));
        continue;
      }
      for (const std::string& name : list(path.empty() ? "/" : path)) {
        if (name.starts_with('.') && !part.starts_with('.')) continue;
        if (next.size() < kGlobMax && matches_glob(part, name)) next.push_back(join({path, "/", name}));
      }
    }
    paths = std::move(next);
  }
  std::erase_if(paths, [this](const std::string& path) { return !exists(path); });
  return paths;
}

bool matches_glob(std::string_view pattern, std::string_view name) {
  std::size_t p = 0, n = 0, star = std::string_view::npos, from = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      from = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++from;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace picket::agent::baseline
