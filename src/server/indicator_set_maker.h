// Makes a set of indicators out of the content of feeds, the operator's own indicators and warning lists.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "intelligence/index_builder.h"
#include "intelligence_feeds.h"

namespace picket::server {

/// Below this confidence an indicator raises nothing.
inline constexpr std::uint8_t kMinimumConfidence = 30;

/// One set; used once, on one thread. What it refers to outlives it.
class IndicatorSetMaker {
 public:
  IndicatorSetMaker(state::Intelligence& state, const IntelligenceFeeds& files, Timestamp now)
      : state_(state), files_(files), now_(now) {}

  /// Writes the set to `path`; `before`: what was in force, to know what is new (nullptr: nothing was). Feeds that are
  /// off or have no content yet are left out. Errors: io, and what a damaged file of a feed says.
  Result<intelligence::BuildReport> make(const std::string& path, const std::vector<state::FeedRow>& feeds,
                                         const intelligence::Index* before);

 private:
  enum class Own : std::uint8_t { indicators, allowed };

  Result<> add_warnings(intelligence::IndexBuilder& builder, const std::vector<state::FeedRow>& feeds);
  Result<> add_own(intelligence::IndexBuilder& builder, Own which);
  Result<> add_feed(intelligence::IndexBuilder& builder, std::uint16_t number,
                    const intelligence::FeedSettings& settings);
  /// How many indicators of each feed the warning lists kept out is part of its status.
  Result<> keep_report(const std::vector<intelligence::FeedSettings>& feeds, const intelligence::BuildReport& report);

  state::Intelligence& state_;
  const IntelligenceFeeds& files_;
  const Timestamp now_;
};

}  // namespace picket::server
