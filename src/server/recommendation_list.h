// The recommendation list (state) as a projection of the derived journal.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/core/result.h"
#include "journal/position.h"
#include "journal/record.h"
#include "state/recommendations.h"

namespace picket::server {

/// apply() is what pipeline::start_projector calls; it is idempotent. Its position stands in the state.
class RecommendationList {
 public:
  explicit RecommendationList(state::Recommendations& recommendations) : recommendations_(recommendations) {}

  Result<> apply(const journal::RecordView& record, const journal::Position& after);

  struct Stats {
    std::uint64_t changes = 0;
    std::uint64_t rejected = 0;  ///< Records that could not be read; logged with their position.
  };
  [[nodiscard]] Stats stats() const { return {changes_, rejected_}; }

 private:
  state::Recommendations& recommendations_;
  std::atomic<std::uint64_t> changes_ = 0;
  std::atomic<std::uint64_t> rejected_ = 0;
};

}  // namespace picket::server
