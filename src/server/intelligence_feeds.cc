#include "intelligence_feeds.h"

#include <algorithm>
#include <filesystem>

#include "base/core/file.h"
#include "base/server/log.h"

namespace picket::server {
namespace {

namespace fs = std::filesystem;
using intelligence::FeedSettings;
using intelligence::FeedStatus;

/// After a fault a feed is tried again at its own pace, but not sooner.
constexpr Duration kRetry = Duration::minutes(5);
constexpr std::size_t kSecretBytesMax = 4096;

}  // namespace

std::optional<FeedSettings> feed_settings_of(const state::FeedRow& row) {
  auto settings = intelligence::parse_feed_settings(row.name, row.settings);
  if (settings) return *std::move(settings);
  log::warning("intelligence", "feed {}: {} {}", row.name, settings.error().member, settings.error().text);
  return std::nullopt;
}

Result<> IntelligenceFeeds::set_secret(std::string_view feed, std::string_view secret) {
  if (secret.empty()) {
    std::error_code ignored;
    fs::remove(secret_of(feed), ignored);
    return {};
  }
  return replace_file(secret_of(feed), as_bytes(secret));
}

bool IntelligenceFeeds::has_secret(std::string_view feed) const {
  std::error_code ignored;
  return fs::exists(secret_of(feed), ignored);
}

void IntelligenceFeeds::forget(std::string_view feed) {
  std::error_code ignored;
  fs::remove(file_of(feed), ignored);
  fs::remove(secret_of(feed), ignored);
}

bool IntelligenceFeeds::is_due(const state::FeedRow& row) const {
  const auto settings = feed_settings_of(row);
  if (!settings || !settings->enabled || settings->interval_minutes == 0 || settings->source.empty()) return false;
  const FeedStatus status = intelligence::parse_feed_status(row.status);
  const Timestamp now = clock_.now();
  const Duration interval = Duration::minutes(settings->interval_minutes);
  return status.tried.us == 0 || now >= status.tried + (status.fault.empty() ? interval : std::max(interval, kRetry)) ||
         status.tried > now;
}

bool IntelligenceFeeds::read(const state::FeedRow& row, bool force) {
  const auto settings = feed_settings_of(row);
  if (!settings || settings->source.empty()) return false;
  FeedStatus status = intelligence::parse_feed_status(row.status);
  const std::string before = status.fault;
  auto secret = read_file(secret_of(row.name), kSecretBytesMax);
  const auto done = intelligence::read_feed({.settings = *settings,
                                             .status = status,
                                             .secret = secret ? *std::move(secret) : std::string(),
                                             .path = file_of(row.name),
                                             .force = force,
                                             .now = clock_.now()},
                                            *fetcher_);
  if (const auto stored = state_.set_status(row.name, to_json(status)); !stored) {
    log::error("intelligence", "feed {}: {}", row.name, describe(stored.error()));
  }
  if (!done && done.error().text != before) log::warning("intelligence", "feed {}: {}", row.name, done.error().text);
  if (!done || !*done) return false;
  log::info("intelligence", "feed {}: {} indicators, {} left out", row.name, status.indicators, status.report.skipped);
  return true;
}

std::expected<std::uint64_t, std::string> IntelligenceFeeds::take(std::string_view feed, std::string_view content,
                                                                  bool force) {
  const auto row = state_.find_feed(feed);
  const auto settings = row ? feed_settings_of(*row) : std::nullopt;
  if (!settings) return std::unexpected("there is no such feed");
  if (!settings->source.empty()) return std::unexpected("this feed has a source; only feeds without one take content");
  FeedStatus status = intelligence::parse_feed_status(row->status);
  const auto done = intelligence::read_content(
      {.settings = *settings, .status = status, .path = file_of(feed), .force = force, .now = clock_.now()}, content);
  if (!state_.set_status(feed, to_json(status))) return std::unexpected("the state cannot be written");
  if (!done) return std::unexpected(done.error().text);
  return status.indicators;
}

}  // namespace picket::server
