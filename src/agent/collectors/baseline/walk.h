// What rules want to know of every file, answered by one walk for all of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/stat.h>

#include "baseline/content.h"
#include "baseline/name_set.h"
#include "support/file_walk.h"

namespace picket::agent::baseline {

/// The files that one rule asks for.
struct WalkFilter {
  Bytes node;  ///< The rule's node: its name among the others.
  std::vector<std::string_view> under, names, except;
  bool files = true, folders = false;
  std::uint32_t mode_any = 0, mode_none = 0;  ///< Bits of which one is set; bits none of which is.
  bool unowned = false, ungrouped = false;
};

/// What the walk found for each filter. Filled before the rules are evaluated.
class WalkFindings {
 public:
  static constexpr std::size_t kFiltersMax = 64;
  static constexpr std::size_t kPathsMax = 3;  ///< Named; the others are counted.

  struct Finding {
    std::uint64_t count = 0;
    std::vector<std::string> paths;
  };
  /// False: the bound is reached.
  bool add(Bytes node, const Parameters& parameters);
  [[nodiscard]] bool empty() const { return filters_.empty(); }
  void set_ids(NameSet users, NameSet groups);
  /// `path` without the root in front.
  void look(std::string_view path, std::string_view name, const struct stat& info);
  /// nullptr: this node was not asked for.
  [[nodiscard]] const Finding* of(Bytes node) const;

  bool done = false;          ///< The walk saw everything.
  std::uint64_t skipped = 0;  ///< Folders that it did not see.

 private:
  std::vector<WalkFilter> filters_;
  std::vector<Finding> findings_;
  NameSet users_, groups_;
};

}  // namespace picket::agent::baseline
