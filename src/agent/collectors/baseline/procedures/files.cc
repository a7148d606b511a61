// files: that the walk over all files found none of a kind. What nobody saw is not fine.
#include "baseline/procedure.h"

namespace picket::agent::baseline {

State check_files(Check& check) {
  const WalkFindings::Finding* const finding = check.facts.walk.of(check.node);
  if (finding == nullptr || !check.facts.walk.done) {
    observe(check.observed, "the files were not looked at");
    return State::error;
  }
  if (finding->count == 0) {
    if (check.facts.walk.skipped == 0) return State::pass;
    observe(check.observed, std::to_string(check.facts.walk.skipped), " folders could not be looked into");
    return State::error;
  }
  for (const std::string& path : finding->paths) observe(check.observed, path);
  if (finding->count > finding->paths.size()) {
    observe(check.observed, std::to_string(finding->count - finding->paths.size()), " more");
  }
  return State::fail;
}

}  // namespace picket::agent::baseline
