// Looks for indicators in stored events.
#pragma once

#include <functional>
#include <stop_token>
#include <string>

#include "intelligence/index.h"
#include "pipeline/indicators.h"
#include "workspace/workspace.h"

namespace picket::server {

inline constexpr std::size_t kHuntRowsMax = 2'000'000;  ///< Different observables of a day, of one kind.
inline constexpr std::size_t kHuntHitsMax = 100'000;

struct HuntRequest {
  workspace::Workspace& workspace;
  const intelligence::Index& index;
  const intelligence::Index* before = nullptr;  ///< What it lists is known already; nullptr: nothing is.
  std::uint32_t days = 30;
  Timestamp now;
  std::stop_token stopping;
};

struct HuntResult {
  std::vector<pipeline::RetroHit> hits;
  std::string note;     ///< What was left out; empty: nothing.
  bool failed = false;  ///< A query failed; `note` says why.
};

/// Blocking. A device that was seen with one thing on several days is one hit.
HuntResult hunt_in_workspace(const HuntRequest& request);

}  // namespace picket::server
