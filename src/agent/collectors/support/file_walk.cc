#include "support/file_walk.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace picket::agent {
namespace {

constexpr std::size_t kBufferBytes = 16 << 10;
// struct linux_dirent64: inode, offset, length, type, name.
constexpr std::size_t kLengthAt = 16, kTypeAt = 18, kNameAt = 19;

FileWalk::Kind kind_of(unsigned char type) {
  using enum FileWalk::Kind;
  return type == DT_REG ? file : type == DT_DIR ? folder : type == DT_LNK ? link : other;
}

unsigned char type_of(int folder, const char* name) {
  struct stat info{};
  if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return DT_UNKNOWN;
  return S_ISREG(info.st_mode) ? DT_REG : S_ISDIR(info.st_mode) ? DT_DIR : S_ISLNK(info.st_mode) ? DT_LNK : DT_UNKNOWN;
}

/// It was there when its name was read, and is not any more: whoever removed it has not hidden anything.
bool is_gone(int error) { return error == ENOENT || error == ENOTDIR || error == ELOOP; }

}  // namespace

FileWalk::FileWalk(std::string root, std::vector<std::string> starts)
    : root_(std::move(root)), starts_(std::move(starts)), buffer_(kBufferBytes) {
  std::ranges::reverse(starts_);
}

bool FileWalk::step(std::size_t entries, const Visit& visit) {
  const std::uint64_t until = entries_ + entries;
  while (entries_ < until) {
    if (levels_.empty() && !next_start()) return false;
    if (levels_.empty()) continue;
    Level& level = levels_.back();
    path_.resize(level.path_bytes);
    if (!level.read) {
      read_some(level, visit);
    } else if (level.waiting.empty()) {
      levels_.pop_back();
    } else {
      const std::string name = std::move(level.waiting.back());
      level.waiting.pop_back();
      waiting_bytes_ -= name.size();
      path_ += '/';
      path_ += name;
      if (!enter(level.fd.get(), name) && !is_gone(errno)) ++skipped_;
    }
  }
  return true;
}

bool FileWalk::next_start() {
  if (entries_ >= kEntriesMax) {
    skipped_ += starts_.size();
    starts_.clear();
  }
  if (starts_.empty()) return false;
  path_ = root_ + starts_.back();
  starts_.pop_back();
  device_ = 0;
  if (!enter(AT_FDCWD, path_.empty() ? "/" : path_) && !is_gone(errno)) ++skipped_;
  return true;
}

bool FileWalk::enter(int parent, const std::string& name) {
  if (levels_.size() >= kDepthMax || entries_ >= kEntriesMax) {
    errno = EOVERFLOW;
    return false;
  }
  UniqueFd fd(openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  struct stat info{};
  if (!fd.valid() || fstat(fd.get(), &info) != 0) return false;
  if (levels_.empty()) device_ = info.st_dev;
  if (info.st_dev != device_) return true;  // seen, but not ours to walk
  levels_.push_back({.fd = std::move(fd), .path_bytes = path_.size()});
  return true;
}

void FileWalk::read_some(Level& level, const Visit& visit) {
  const long n = syscall(SYS_getdents64, level.fd.get(), buffer_.data(), buffer_.size());
  if (n <= 0) {
    level.read = true;
    if (n < 0 && !is_gone(errno)) ++skipped_;
    return;
  }
  for (std::size_t at = 0; at + kNameAt < static_cast<std::size_t>(n);) {
    std::uint16_t length = 0;
    std::memcpy(&length, buffer_.data() + at + kLengthAt, sizeof length);
    if (length <= kNameAt || at + length > static_cast<std::size_t>(n)) break;
    const char* const name = buffer_.data() + at + kNameAt;
    const std::string_view text(name, strnlen(name, length - kNameAt));
    if (text != "." && text != "..") visit_one(level, text, static_cast<unsigned char>(buffer_[at + kTypeAt]), visit);
    at += length;
  }
}

void FileWalk::visit_one(Level& level, std::string_view name, unsigned char type, const Visit& visit) {
  ++entries_;
  if (type == DT_UNKNOWN) type = type_of(level.fd.get(), name.data());  // ends with NUL in the buffer
  path_ += '/';
  path_ += name;
  const Entry entry{.path = path_,
                    .name = std::string_view(path_).substr(path_.size() - name.size()),
                    .folder = level.fd.get(),
                    .kind = kind_of(type)};
  const bool into = visit(entry) && entry.kind == Kind::folder;
  path_.resize(level.path_bytes);
  if (!into) return;
  if (waiting_bytes_ + name.size() > kNamesBytesMax) {
    ++skipped_;
    return;
  }
  waiting_bytes_ += name.size();
  level.waiting.emplace_back(name);
}

}  // namespace picket::agent
