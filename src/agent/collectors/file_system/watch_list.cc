#include "file_system/watch_list.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <unistd.h>

namespace picket::agent {
namespace {

/// Watched where nothing is set: what an intruder changes to come back, to become another user, or to be overlooked,
/// and what hardly anybody else changes. Not the whole of /etc, since package managers, network managers and time zones
/// write there; not /home, since nobody can tell there what is meant. The folders of programs are in it: on a device
/// they change with an update only.
constexpr std::string_view kDefault[] = {
    // users and what they may
    "/etc/passwd", "/etc/shadow", "/etc/group", "/etc/gshadow", "/etc/sudoers", "/etc/sudoers.d", "/etc/pam.d",
    "/etc/security", "/etc/nsswitch.conf",
    // ways in
    "/etc/ssh", "/root/.ssh", "/etc/dropbear", "/etc/hosts", "/etc/hosts.allow", "/etc/hosts.deny",
    // ways to be started again
    "/etc/crontab", "/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily", "/etc/cron.weekly", "/etc/cron.monthly",
    "/etc/cron.allow", "/var/spool/cron", "/etc/systemd/system", "/usr/lib/systemd/system", "/etc/init.d",
    "/etc/inittab", "/etc/rc.local", "/etc/rc.d", "/etc/profile", "/etc/profile.d", "/etc/bash.bashrc",
    "/root/.profile", "/root/.bashrc", "/etc/udev/rules.d", "/etc/modules", "/etc/modules-load.d", "/etc/modprobe.d",
    // ways to be overlooked
    "/etc/ld.so.preload", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/audit", "/etc/rsyslog.conf", "/etc/rsyslog.d",
    "/etc/picket-agent",
    // programs
    "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"};

constexpr std::string_view kNeverWatched[] = {"/proc", "/sys", "/dev"};

bool is_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return path.size() > 1;
  return path.size() > folder.size() + 1 && path.starts_with(folder) && path[folder.size()] == '/';
}

/// Without a slash at the end, "//", "/./"; empty: has a ".." part or is not absolute.
std::string tidy(std::string_view path) {
  std::string out;
  if (!path.starts_with('/')) return out;
  while (!path.empty()) {
    path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
    const auto part = path.substr(0, path.find('/'));
    path.remove_prefix(part.size());
    if (part == "..") return {};
    if (!part.empty() && part != ".") out.append("/").append(part);
  }
  return out.empty() ? "/" : out;
}

/// The path with every link in its existing part followed.
std::string followed(const std::string& path) {
  const std::string exists = existing_part(path);
  const std::unique_ptr<char, void (*)(void*)> real{realpath(exists.c_str(), nullptr), std::free};
  if (!real) return path;
  const std::string_view rest = std::string_view(path).substr(exists == "/" ? 0 : exists.size());
  const std::string_view head = real.get();
  return head == "/" ? (rest.empty() ? "/" : std::string(rest)) : std::string(head).append(rest);
}

}  // namespace

std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string_view::npos ? std::string_view("/") : path.substr(0, slash);
}

std::string existing_part(std::string path) {
  while (path.size() > 1 && access(path.c_str(), F_OK) != 0) path.resize(parent_of(path).size());
  return path;
}

WatchList::WatchList(std::span<const std::string> paths, bool recursive) : recursive_(recursive) {
  const auto add = [this](std::string_view text) {
    const std::string asked = tidy(text);
    const std::string path = asked.empty() ? asked : followed(asked);
    const bool never = std::ranges::any_of(
        kNeverWatched, [&](std::string_view folder) { return path == folder || is_below(path, folder); });
    if (path.empty() || never || paths_.size() == kPathsMax) {
      ++ignored_;
    } else if (std::ranges::find(paths_, path) == paths_.end()) {
      paths_.push_back(path);
    }
  };
  for (const std::string& path : paths) add(path);
  if (!paths.empty()) return;
  for (const std::string_view path : kDefault) add(path);
}

bool WatchList::covers(std::string_view path) const {
  for (const std::string_view folder : kNeverWatched) {
    if (is_below(path, folder)) return false;
  }
  return std::ranges::any_of(paths_, [&](const std::string& watched) {
    return path == watched || (is_below(path, watched) && (recursive_ || parent_of(path) == watched));
  });
}

Interest WatchList::interest_in(std::string_view folder) const {
  Interest interest = Interest::none;
  for (const std::string& watched : paths_) {
    if (folder == watched || (recursive_ && is_below(folder, watched)))
      return watched == "/" ? Interest::some : Interest::all;
    if (folder == parent_of(watched)) interest = Interest::some;
  }
  return interest;
}

bool WatchList::leads_to(std::string_view path) const {
  return std::ranges::any_of(paths_, [&](const std::string& watched) { return is_below(watched, path); });
}

}  // namespace picket::agent
