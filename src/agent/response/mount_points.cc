#include "mount_points.h"

#include <algorithm>
#include <array>

namespace picket::agent {
namespace {

constexpr std::string_view kMadeUp[] = {
    "proc",      "sysfs",    "cgroup",     "cgroup2",  "devpts",  "debugfs", "tracefs",     "pstore",     "securityfs",
    "bpf",       "mqueue",   "hugetlbfs",  "configfs", "fusectl", "autofs",  "binfmt_misc", "rpc_pipefs", "nsfs",
    "selinuxfs", "efivarfs", "functionfs", "resctrl",  "smackfs", "nfsd",    "guest_memfd"};
constexpr std::string_view kServed[] = {"nfs", "nfs4", "cifs", "smb3",    "smbfs",   "ceph",
                                        "9p",  "afs",  "fuse", "fuseblk", "virtiofs"};

bool holds_programs(std::string_view type) {
  return !type.starts_with("fuse.") && std::ranges::find(kMadeUp, type) == std::end(kMadeUp) &&
         std::ranges::find(kServed, type) == std::end(kServed);
}

std::string_view next_word(std::string_view& line) {
  const auto end = std::min(line.find(' '), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

/// Space, tab, newline and backslash are there as \ and three octal digits.
std::string unescaped(std::string_view text) {
  const auto digit = [&text](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

std::vector<std::string> parse_mount_points(std::string_view mountinfo) {
  std::vector<std::string> out;
  while (!mountinfo.empty() && out.size() < kMountPointsMax) {
    std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(line.size() + 1, mountinfo.size()));
    (void)next_word(line);  // id
    (void)next_word(line);  // of its parent
    (void)next_word(line);  // device
    (void)next_word(line);  // root
    const auto point = next_word(line);
    const auto separator = line.find(" - ");
    if (!point.starts_with('/') || separator == std::string_view::npos) continue;
    line.remove_prefix(separator + 3);
    if (holds_programs(next_word(line))) out.push_back(unescaped(point));
  }
  return out;
}

}  // namespace picket::agent
