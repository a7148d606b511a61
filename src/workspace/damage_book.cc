#include "damage_book.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include <fmt/format.h>
#include <sys/stat.h>

namespace picket::workspace {
namespace {

struct Held {
  std::uint64_t bytes = 0;
  std::vector<DamagedRows> tables;
};

/// What the file `path` of the segment holds.
Held held_in(const std::string& path, const SegmentInfo& segment) {
  Held out;
  const bool archived = path.ends_with(".parquet");
  if (!archived) out.bytes = segment.bytes;
  for (const TableExtent& extent : segment.tables) {
    if (extent.archived != archived) continue;
    if (archived && !path.ends_with("/" + archive_file_name(segment, extent.table))) continue;
    if (archived) out.bytes = extent.bytes;
    out.tables.push_back({extent.table, extent.rows, extent.time_min, extent.time_max});
  }
  return out;
}

}  // namespace

Result<std::optional<std::string>> size_problem(const std::string& path, std::uint64_t bytes) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<std::string>("is lost");
    return fail_errno("workspace.segment.stat");
  }
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (!S_ISREG(status.st_mode)) return std::optional<std::string>("is no file any more");
  if (size < bytes) return std::optional<std::string>(fmt::format("is cut: it has {} of {} bytes", size, bytes));
  if (size > bytes)
    return std::optional<std::string>(
        fmt::format("is not the file that was sealed: it has {} bytes, not {}", size, bytes));
  return std::optional<std::string>();
}

DamageBook::Identity DamageBook::identity_of(const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return {};
  return {status.st_ino, status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec};
}

bool DamageBook::note(const std::string& path, const SegmentInfo& segment, std::string problem) {
  Held held = held_in(path, segment);
  const std::filesystem::path base = std::filesystem::path(directory_).parent_path();
  Entry entry{{std::filesystem::path(path).lexically_relative(base).string(), std::move(problem), segment.first,
               segment.last, std::move(held.tables)},
              held.bytes,
              identity_of(path)};
  const std::lock_guard lock(mutex_);
  return entries_.insert_or_assign(path, std::move(entry)).second;
}

std::optional<DamagedFile> DamageBook::find(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(path);
  return found == entries_.end() ? std::nullopt : std::optional(found->second.file);
}

bool DamageBook::touches(const std::string& stream_directory, const SegmentInfo& segment) const {
  const std::lock_guard lock(mutex_);
  if (entries_.empty()) return false;
  return std::ranges::any_of(segment.files(),
                             [&](const std::string& file) { return entries_.contains(stream_directory + "/" + file); });
}

void DamageBook::forget(const std::string& path) {
  const std::lock_guard lock(mutex_);
  entries_.erase(path);
}

std::vector<std::string> DamageBook::take_restored() {
  std::vector<std::string> out;
  const std::lock_guard lock(mutex_);
  std::erase_if(entries_, [&](const auto& one) {
    const auto problem = size_problem(one.first, one.second.bytes);
    if (!problem || *problem || identity_of(one.first) == one.second.identity) return false;
    out.push_back(one.first);
    return true;
  });
  return out;
}

std::vector<DamagedFile> DamageBook::list() const {
  std::vector<DamagedFile> out;
  const std::lock_guard lock(mutex_);
  for (const auto& [path, entry] : entries_) out.push_back(entry.file);
  return out;
}

std::size_t DamageBook::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace picket::workspace
