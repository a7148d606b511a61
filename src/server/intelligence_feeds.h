// Feeds of threat intelligence: settings and status in the state, content and secrets in files.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/core/time.h"
#include "intelligence/feed_reader.h"
#include "state/intelligence.h"

namespace picket::server {

/// Settings are checked before they are stored; what a newer server stored may not be readable here: nullopt, and a
/// line in the log.
std::optional<intelligence::FeedSettings> feed_settings_of(const state::FeedRow& row);

/// Content of FEED is in DIRECTORY/FEED, its secret in SECRETS/FEED. Any thread; one at a time for the same feed.
class IntelligenceFeeds {
 public:
  IntelligenceFeeds(state::Intelligence& state, const Clock& clock, std::string directory, std::string secrets)
      : state_(state), clock_(clock), directory_(std::move(directory)), secrets_(std::move(secrets)) {}

  [[nodiscard]] std::string file_of(std::string_view feed) const { return directory_ + "/" + std::string(feed); }
  /// Empty: it goes.
  Result<> set_secret(std::string_view feed, std::string_view secret);
  [[nodiscard]] bool has_secret(std::string_view feed) const;
  /// Content and secret go.
  void forget(std::string_view feed);

  /// Whether it is time to read it from its source.
  [[nodiscard]] bool is_due(const state::FeedRow& row) const;
  /// From its source; `force`: also when that became suspiciously small. True: there is new content. Faults are in the
  /// status of the feed. Blocking.
  bool read(const state::FeedRow& row, bool force);
  /// For feeds without a source. The number of indicators, or a sentence for the operator.
  std::expected<std::uint64_t, std::string> take(std::string_view feed, std::string_view content, bool force);

 private:
  [[nodiscard]] std::string secret_of(std::string_view feed) const { return secrets_ + "/" + std::string(feed); }

  state::Intelligence& state_;
  const Clock& clock_;
  const std::string directory_;
  const std::string secrets_;
  const std::unique_ptr<intelligence::Fetcher> fetcher_ = intelligence::make_fetcher();
};

}  // namespace picket::server
