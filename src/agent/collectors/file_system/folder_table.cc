#include "file_system/folder_table.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "file_system/fanotify_message.h"
#include "support/procfs.h"

namespace picket::agent {
namespace {

/// struct file_handle with room for the longest.
struct Handle {
  alignas(file_handle) std::array<std::byte, sizeof(file_handle) + kHandleBytesMax> bytes{};
  file_handle* get() { return reinterpret_cast<file_handle*>(bytes.data()); }
};
static_assert(sizeof(file_handle) == kHandleHeaderBytes);

std::string id_of(const struct statfs& status) {
  std::string out(kFileSystemIdBytes, '\0');
  static_assert(sizeof(status.f_fsid) == kFileSystemIdBytes);
  std::memcpy(out.data(), &status.f_fsid, out.size());
  return out;
}

}  // namespace

Result<bool> FolderTable::add_file_system(const std::string& path) {
  UniqueFd place{open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  struct statfs status{};
  if (!place.valid() || fstatfs(place.get(), &status) != 0) return fail_errno("agent.file_system.folder");
  const std::string id = id_of(status);
  if (file_system(id) != nullptr) return false;
  if (file_systems_.size() == kFileSystemsMax) return fail(Errc::limit_exceeded, "agent.file_system.file_systems");
  file_systems_.push_back({id, std::move(place)});
  return true;
}

const FolderTable::FileSystem* FolderTable::file_system(std::string_view id) const {
  const auto at = std::ranges::find(file_systems_, id, &FileSystem::id);
  return at == file_systems_.end() ? nullptr : &*at;
}

bool FolderTable::add_watched(const std::string& path) {
  Handle handle;
  handle.get()->handle_bytes = kHandleBytesMax;
  int mount_id = 0;
  struct statfs status{};
  if (watched_.size() >= kWatchedMax || statfs(path.c_str(), &status) != 0 ||
      name_to_handle_at(AT_FDCWD, path.c_str(), handle.get(), &mount_id, 0) != 0) {
    return false;
  }
  std::string key = id_of(status);
  if (file_system(key) == nullptr) return false;
  key.append(as_text(Bytes(handle.bytes).first(kHandleHeaderBytes + handle.get()->handle_bytes)));
  watched_[key] = {path, list_.interest_in(path)};
  return true;
}

const FolderTable::Folder* FolderTable::find(Bytes folder) {
  const std::string key(as_text(folder));
  if (const auto at = watched_.find(key); at != watched_.end()) return &at->second;
  if (const auto at = others_.find(key); at != others_.end()) return &at->second;
  std::string path = path_of(key);
  if (path.empty()) return nullptr;
  if (others_.size() == kOthersMax) others_.clear();
  const Interest interest = list_.interest_in(path);
  // The path is needed of every folder: a folder in it may be one that leads to a watched path.
  return &others_.emplace(key, Folder{std::move(path), interest}).first->second;
}

std::string FolderTable::path_of(std::string_view key) const {
  const auto* place = file_system(key.substr(0, kFileSystemIdBytes));
  const auto raw = key.substr(std::min(kFileSystemIdBytes, key.size()));
  Handle handle;
  if (place == nullptr || raw.size() < kHandleHeaderBytes || raw.size() > handle.bytes.size()) return {};
  std::memcpy(handle.bytes.data(), raw.data(), raw.size());
  if (handle.get()->handle_bytes != raw.size() - kHandleHeaderBytes) return {};
  const UniqueFd folder{open_by_handle_at(place->place.get(), handle.get(), O_PATH | O_CLOEXEC)};
  if (!folder.valid()) return {};
  const std::string link = "/proc/self/fd/" + std::to_string(folder.get());
  char target[kPathBytesMax];
  const ssize_t n = readlink(link.c_str(), target, sizeof(target));
  if (n <= 0 || target[0] != '/') return {};  // out of our sight
  constexpr std::string_view kDeleted = " (deleted)";
  std::string path(target, static_cast<std::size_t>(n));
  if (path.ends_with(kDeleted) && access(path.c_str(), F_OK) != 0) path.resize(path.size() - kDeleted.size());
  return path;
}

}  // namespace picket::agent
