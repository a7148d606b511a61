// One resumable walk over files, for packages and configuration checks: bounded, on one file system, never through
// links.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/file.h"

namespace picket::agent {

/// Walks some folders and everything below. Folders on other file systems than their start, and symbolic links, are
/// named to the visitor but not entered. What is past a bound is left out and counted. Holds one descriptor a level.
class FileWalk {
 public:
  static constexpr std::size_t kDepthMax = 128;
  static constexpr std::uint64_t kEntriesMax = 4'000'000;
  static constexpr std::size_t kNamesBytesMax = 256 << 10;  ///< Names of folders that wait to be entered.

  enum class Kind : std::uint8_t { file, folder, link, other };
  /// Valid during the visit.
  struct Entry {
    std::string_view path;  ///< With the root in front.
    std::string_view name;  ///< Last part of it.
    int folder;             ///< Descriptor of the folder it stands in, for openat() and fstatat() with `name`.
    Kind kind = Kind::other;
  };
  /// Returns whether a folder is to be entered.
  using Visit = std::function<bool(const Entry& entry)>;

  /// `starts` are paths below `root`, such as "/usr/lib", or "" for all of it; those that are not there, and links, are
  /// left out.
  FileWalk(std::string root, std::vector<std::string> starts);

  /// Visits until at least `entries` were seen, which is at most one folder's buffer more. False: the walk is done.
  bool step(std::size_t entries, const Visit& visit);
  [[nodiscard]] std::uint64_t entries() const { return entries_; }
  [[nodiscard]] std::uint64_t skipped() const { return skipped_; }  ///< Folders past a bound, or that cannot be read.

 private:
  struct Level {
    UniqueFd fd;
    std::size_t path_bytes = 0;  ///< Of the folder itself.
    bool read = false;           ///< All its entries were visited.
    std::vector<std::string> waiting;
  };
  bool next_start();
  bool enter(int parent, const std::string& name);
  void read_some(Level& level, const Visit& visit);
  void visit_one(Level& level, std::string_view name, unsigned char type, const Visit& visit);

  std::string root_;
  std::vector<std::string> starts_;  ///< Last one first.
  std::vector<Level> levels_;
  std::string path_;
  std::uint64_t device_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t entries_ = 0, skipped_ = 0;
  std::vector<char> buffer_;
};

}  // namespace picket::agent
