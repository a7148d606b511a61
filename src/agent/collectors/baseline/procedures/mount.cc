// mount: whether a path is a file system of its own, and how it is mounted.
#include <algorithm>

#include "baseline/lines.h"
#include "baseline/procedure.h"

namespace picket::agent::baseline {
namespace {

bool has_option(std::string_view options, std::string_view wanted) {
  while (!options.empty()) {
    if (take_word(options, ",") == wanted) return true;
  }
  return false;
}

/// The checks of one mount; false is said in `observed`.
bool is_fine(Check& check, const Mount& mount) {
  bool fine = true;
  for (const std::string_view option : check.parameters.list("options")) {
    if (has_option(mount.options, option)) continue;
    observe(check.observed, mount.path, " is mounted without ", option);
    fine = false;
  }
  return fine;
}

}  // namespace

State check_mount(Check& check) {
  const std::vector<Mount>* const mounts = check.facts.mounts();
  if (mounts == nullptr) {
    observe(check.observed, "neither mounts nor fstab can be read");
    return State::skip;
  }
  const std::string_view path = check.parameters.text("path");
  const auto types = check.parameters.list("types");
  if (path.empty()) {  // all of these types
    bool any = false, fine = true;
    for (const Mount& mount : *mounts) {
      if (std::ranges::find(types, std::string_view(mount.type)) == types.end()) continue;
      any = true;
      fine = is_fine(check, mount) && fine;
    }
    if (!any) observe(check.observed, "no such mount");
    return any ? pass_if(fine) : when_missing(check, State::skip);
  }
  // Of several on one path the last one is seen.
  const auto last =
      std::find_if(mounts->rbegin(), mounts->rend(), [&](const Mount& each) { return each.path == path; });
  if (last == mounts->rend()) {
    observe(check.observed, path, " is no file system of its own");
    return when_missing(check, State::fail);
  }
  const Mount& mount = *last;
  if (!types.empty() && std::ranges::find(types, std::string_view(mount.type)) == types.end()) {
    observe(check.observed, path, " is of type ", mount.type);
    return State::fail;
  }
  const bool fine = is_fine(check, mount);
  if (fine) observe(check.observed, path, " is mounted with ", mount.options);
  return pass_if(fine);
}

}  // namespace picket::agent::baseline
