#include "file_system/tree_walk.h"

#include <cstring>

#include <fcntl.h>

#include "support/procfs.h"

namespace picket::agent {
namespace {

Timestamp time_of(const struct statx_timestamp& time) { return {time.tv_sec * 1'000'000 + time.tv_nsec / 1000}; }

}  // namespace

std::optional<message::FileMask> change_since(const WalkedFile& file, Timestamp since) {
  using message::FileMask;
  if (time_of(file.status.stx_ctime) < since) return std::nullopt;
  if ((file.status.stx_mask & STATX_BTIME) != 0 && time_of(file.status.stx_btime) >= since) return FileMask::Created;
  if (time_of(file.status.stx_mtime) < since) return FileMask::MetadataChanged;
  return file.is_folder() ? std::nullopt : std::optional(FileMask::Modified);  // entries of a folder are told by name
}

void TreeWalk::start() {
  folder_.reset();
  folders_.clear();
  paths_.clear();
  for (const std::string& path : list_.paths()) {
    // With a recursive list the folder above leads here too.
    if (!list_.recursive() || !list_.covers(parent_of(path))) paths_.push_back(path);
  }
}

void TreeWalk::add(std::string_view path) {
  if (paths_.size() < kFoldersWaitingMax) {
    paths_.emplace_back(path);
  } else {
    ++left_out_;
  }
}

bool TreeWalk::next(WalkedFile& file) {
  for (;;) {
    if (folder_) {
      const dirent* entry = readdir(folder_.get());
      if (entry == nullptr) {
        folder_.reset();
        continue;
      }
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      std::string path = folder_path_ == "/" ? std::string() : folder_path_;
      path.append(1, '/').append(name);
      if (list_.covers(path) && look_at(std::move(path), file)) return true;
    } else if (!paths_.empty()) {
      std::string path = std::move(paths_.back());
      paths_.pop_back();
      if (look_at(std::move(path), file)) return true;
    } else if (!folders_.empty()) {
      folder_path_ = std::move(folders_.back());
      folders_.pop_back();
      folder_.reset(opendir(folder_path_.c_str()));
    } else {
      return false;
    }
  }
}

bool TreeWalk::look_at(std::string path, WalkedFile& file) {
  if (path.size() >= kPathBytesMax) {
    ++left_out_;
    return false;
  }
  path_ = std::move(path);
  if (statx(AT_FDCWD, path_.c_str(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &file.status) != 0) {
    return false;
  }
  file.path = path_;
  if (!file.is_folder() || list_.interest_in(path_) == Interest::none) return true;
  if (folders_.size() < kFoldersWaitingMax) {
    folders_.push_back(path_);
  } else {
    ++left_out_;
  }
  return true;
}

}  // namespace picket::agent
