#include "indicator_set_maker.h"

#include "intelligence/builtin_warnings.h"
#include "intelligence/feed_file.h"

namespace picket::server {
namespace {

using intelligence::FeedSettings;
using intelligence::FeedStatus;
using intelligence::IndexBuilder;
using intelligence::Observable;

constexpr std::string_view kOwnFeed = "own";
constexpr std::uint16_t kOwnNumber = 0;  ///< Of the operator's own among the feeds of a set; the others follow.
constexpr std::size_t kOwnPage = 1'000;

bool is_warning_list(const FeedSettings& settings) { return settings.format == intelligence::Format::warning_list; }

}  // namespace

Result<intelligence::BuildReport> IndicatorSetMaker::make(const std::string& path,
                                                          const std::vector<state::FeedRow>& feeds,
                                                          const intelligence::Index* before) {
  intelligence::IndexOptions options{.path = path,
                                     .made = now_,
                                     .minimum_confidence = kMinimumConfidence,
                                     .feeds = {{std::string(kOwnFeed), "", ""}},
                                     .before = before};
  std::vector<FeedSettings> settings;
  for (const state::FeedRow& row : feeds) {
    const auto one = feed_settings_of(row);
    if (!one || !one->enabled || is_warning_list(*one)) continue;
    settings.push_back(*one);
    options.feeds.push_back({one->name, one->licence, one->reference});
  }
  TRY(const auto builder, IndexBuilder::make(std::move(options)));
  TRY_VOID(add_warnings(*builder, feeds));
  TRY_VOID(add_own(*builder, Own::indicators));
  for (std::size_t i = 0; i < settings.size(); ++i) {
    TRY_VOID(add_feed(*builder, static_cast<std::uint16_t>(i + 1), settings[i]));
  }
  TRY(auto report, builder->finish());
  TRY_VOID(keep_report(settings, report));
  return report;
}

Result<> IndicatorSetMaker::add_warnings(IndexBuilder& builder, const std::vector<state::FeedRow>& feeds) {
  for (const std::string_view text : intelligence::builtin_warning_lists()) {
    TRY(const auto list, intelligence::parse_warning_list(text));
    for (const Observable& entry : list.entries) TRY_VOID(builder.add_warning(entry, list.name));
  }
  for (const state::FeedRow& row : feeds) {
    const auto settings = feed_settings_of(row);
    if (!settings || !settings->enabled || !is_warning_list(*settings)) continue;
    const auto done = intelligence::read_warning_file(
        files_.file_of(row.name),
        [&](const Observable& entry, std::string_view list) { return builder.add_warning(entry, list); });
    if (!done && done.error().code != Errc::not_found) return done;
  }
  return add_own(builder, Own::allowed);
}

Result<> IndicatorSetMaker::add_own(IndexBuilder& builder, Own which) {
  std::string kind, value;
  for (;;) {
    TRY(const auto rows, state_.indicators(kind, value, kOwnPage));
    for (const state::OwnIndicatorRow& row : rows) {
      kind = row.kind;
      value = row.value;
      const auto known = intelligence::parse_kind(row.kind);
      // A URL is stored as it is matched: without its scheme.
      const auto what = !known                              ? std::nullopt
                        : *known == intelligence::Kind::url ? intelligence::parse_url("http://" + row.value)
                                                            : intelligence::parse_as(*known, row.value);
      if (!what || row.allowed != (which == Own::allowed)) continue;
      if (row.allowed) {
        TRY_VOID(builder.add_warning(*what, "allowed by " + row.user));
      } else {
        TRY_VOID(builder.add(*what, {.feed = kOwnNumber,
                                     .confidence = row.confidence,
                                     .from = row.added,
                                     .until = row.until,
                                     .threat = row.threat,
                                     .reference = row.reference}));
      }
    }
    if (rows.size() < kOwnPage) return {};
  }
}

Result<> IndicatorSetMaker::add_feed(IndexBuilder& builder, std::uint16_t number, const FeedSettings& settings) {
  const auto done =
      intelligence::read_feed_file(files_.file_of(settings.name), [&](const intelligence::Indicator& one) -> Result<> {
        if (one.until.us != 0 && one.until <= now_) return {};
        return builder.add(one.what, {.feed = number,
                                      .confidence = one.confidence,
                                      .decay = settings.decay,
                                      .from = one.from,
                                      .until = one.until,
                                      .threat = one.threat,
                                      .reference = one.reference});
      });
  if (!done && done.error().code != Errc::not_found) return std::unexpected(done.error());
  return {};
}

Result<> IndicatorSetMaker::keep_report(const std::vector<FeedSettings>& feeds,
                                        const intelligence::BuildReport& report) {
  for (std::size_t i = 0; i < feeds.size(); ++i) {
    const auto row = state_.find_feed(feeds[i].name);
    if (!row) continue;
    FeedStatus status = intelligence::parse_feed_status(row->status);
    if (status.kept_out == report.kept_out[i + 1]) continue;
    status.kept_out = report.kept_out[i + 1];
    TRY_VOID(state_.set_status(row->name, to_json(status)));
  }
  return {};
}

}  // namespace picket::server
