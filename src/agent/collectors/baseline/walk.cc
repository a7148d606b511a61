#include "baseline/walk.h"

#include <algorithm>

#include "baseline/root.h"

namespace picket::agent::baseline {
namespace {

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) &&
         (path.size() == folder.size() || folder.ends_with('/') || path[folder.size()] == '/');
}

std::vector<std::string_view> copy(std::span<const std::string_view> items) { return {items.begin(), items.end()}; }

bool matches_any(const std::vector<std::string_view>& patterns, std::string_view text) {
  return std::ranges::any_of(patterns, [&](std::string_view each) { return matches_glob(each, text); });
}

}  // namespace

bool WalkFindings::add(Bytes node, const Parameters& parameters) {
  if (filters_.size() >= kFiltersMax) return false;
  const std::string_view kind = parameters.text("kind", "file"), owner = parameters.text("without");
  filters_.push_back({.node = node,
                      .under = copy(parameters.list("under")),
                      .names = copy(parameters.list("names")),
                      .except = copy(parameters.list("except")),
                      .files = kind != "folder",
                      .folders = kind != "file",
                      .mode_any = static_cast<std::uint32_t>(parameters.number("mode_any").value_or(0)),
                      .mode_none = static_cast<std::uint32_t>(parameters.number("mode_none").value_or(0)),
                      .unowned = owner == "owner",
                      .ungrouped = owner == "group"});
  findings_.emplace_back();
  return true;
}

void WalkFindings::set_ids(NameSet users, NameSet groups) {
  users_ = std::move(users);
  groups_ = std::move(groups);
}

void WalkFindings::look(std::string_view path, std::string_view name, const struct stat& info) {
  const bool file = S_ISREG(info.st_mode), folder = S_ISDIR(info.st_mode);
  for (std::size_t i = 0; i < filters_.size(); ++i) {
    const WalkFilter& filter = filters_[i];
    if (!(file && filter.files) && !(folder && filter.folders)) continue;
    if (filter.mode_any != 0 && (info.st_mode & filter.mode_any) == 0) continue;
    if ((info.st_mode & filter.mode_none) != 0) continue;
    if (filter.unowned && users_.has_id(info.st_uid)) continue;
    if (filter.ungrouped && groups_.has_id(info.st_gid)) continue;
    if (!filter.under.empty() &&
        std::ranges::none_of(filter.under, [&](std::string_view each) { return is_below(path, each); })) {
      continue;
    }
    if (!filter.names.empty() && !matches_any(filter.names, name)) continue;
    if (matches_any(filter.except, path)) continue;
    Finding& finding = findings_[i];
    ++finding.count;
    if (finding.paths.size() < kPathsMax) finding.paths.emplace_back(path);
  }
}

const WalkFindings::Finding* WalkFindings::of(Bytes node) const {
  for (std::size_t i = 0; i < filters_.size(); ++i) {
    if (filters_[i].node.data() == node.data()) return &findings_[i];
  }
  return nullptr;
}

}  // namespace picket::agent::baseline
