#include "agent/user_names.h"

#include <algorithm>
#include <charconv>

#include <sys/stat.h>

#include "base/core/file.h"

namespace picket::agent {

void UserNames::reload_if_changed() {
  struct stat info{};
  if (::stat(path_.c_str(), &info) != 0) return;
  const std::int64_t changed_ns = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
  if (changed_ns == changed_ns_ && info.st_size == size_) return;
  const auto content = read_file(path_, kFileBytesMax);
  if (!content) return;
  changed_ns_ = changed_ns;
  size_ = info.st_size;
  users_.clear();
  std::string_view rest = *content;
  while (!rest.empty() && users_.size() < kUsersMax) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    // name:password:uid:...
    const auto name_end = line.find(':');
    if (name_end == 0 || name_end == std::string_view::npos) continue;
    const auto uid_at = line.find(':', name_end + 1);
    if (uid_at == std::string_view::npos) continue;
    std::uint32_t uid = 0;
    const auto [end, error] = std::from_chars(line.data() + uid_at + 1, line.data() + line.size(), uid);
    if (error != std::errc() || end == line.data() + line.size() || *end != ':') continue;
    users_.push_back({uid, std::string(line.substr(0, name_end))});
  }
}

std::string_view UserNames::find(std::uint32_t uid) {
  reload_if_changed();
  const auto found = std::ranges::find(users_, uid, &User::uid);
  return found == users_.end() ? std::string_view{} : std::string_view(found->name);
}

}  // namespace picket::agent
