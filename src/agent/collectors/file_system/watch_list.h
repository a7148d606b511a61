// Which paths are watched. Pure but for the constructor, which follows links as they stand.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace picket::agent {

/// How much of what happens to a folder's entries is reported.
enum class Interest : std::uint8_t { none, some, all };

class WatchList {
 public:
  static constexpr std::size_t kPathsMax = 128;

  /// Takes absolute paths that are not below /proc, /sys or /dev, at most kPathsMax; `ignored()` counts the others.
  /// Links on the way to a path are followed, as far as it exists; a path that is not there yet is watched for too.
  WatchList(std::span<const std::string> paths, bool recursive);

  /// A change of this path is reported.
  [[nodiscard]] bool covers(std::string_view path) const;
  /// all: every entry of this folder is covered; some: entries may be, ask covers().
  [[nodiscard]] Interest interest_in(std::string_view folder) const;
  /// A watched path is below this one: when it comes or moves, much changes.
  [[nodiscard]] bool leads_to(std::string_view path) const;

  [[nodiscard]] std::span<const std::string> paths() const { return paths_; }
  [[nodiscard]] bool recursive() const { return recursive_; }
  [[nodiscard]] std::size_t ignored() const { return ignored_; }

 private:
  std::vector<std::string> paths_;
  bool recursive_;
  std::size_t ignored_ = 0;
};

/// "/a/b" of "/a/b/c", "/" of "/a".
std::string_view parent_of(std::string_view path);
/// `path` or the nearest folder above it that exists.
std::string existing_part(std::string path);

}  // namespace picket::agent
