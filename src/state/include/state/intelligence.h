// Sources of threat intelligence, indicators of the operator's own, the sets that were put in force, and retro-hunts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

struct FeedRow {
  std::string name;
  std::string settings;  ///< JSON (intelligence/feed.h); no secret stands in it.
  std::string status;    ///< JSON, likewise.
  Timestamp changed;     ///< The settings.
};

struct OwnIndicatorRow {
  std::string kind;   ///< "domain"
  std::string value;  ///< "evil.example", in normal form.
  std::uint8_t confidence = 100;
  bool allowed = false;  ///< Not an indicator: something that never is one here.
  Timestamp until;       ///< 0: for ever.
  std::string threat;
  std::string reference;
  std::string user;  ///< Who added it.
  Timestamp added;
};

struct IndicatorSetRow {
  std::string version;
  Timestamp made;
  std::uint64_t sequence = 0;  ///< Of the record that put it in force.
  std::uint64_t indicators = 0;
  std::uint64_t added = 0;  ///< Not in the set before.
};

struct RetroHuntRow {
  std::string id;
  std::string version;
  std::uint32_t days = 0;
  std::string status;  ///< "waiting", "running", "done", "failed"
  Timestamp started, finished;
  std::uint64_t hits = 0;
  std::string note;  ///< What was left out, or why it failed.
};

/// Any thread. Every change by a person leaves a record in the outbox.
class Intelligence {
 public:
  static constexpr std::size_t kFeedsMax = 500;
  static constexpr std::size_t kOwnIndicatorsMax = 1'000'000;
  static constexpr std::size_t kHuntsKept = 100;

  explicit Intelligence(Database& database) : database_(database) {}

  /// "intelligence.feed.set". Returns whether it is new. The status of one that was there stays. Errors:
  /// limit_exceeded.
  Result<bool> put_feed(std::string_view name, std::string_view settings, const Actor& actor, Timestamp now);
  /// "intelligence.feed.delete". Returns whether there was one.
  Result<bool> remove_feed(std::string_view name, const Actor& actor, Timestamp now);
  Result<> set_status(std::string_view name, std::string_view status);
  /// Errors: not_found.
  Result<FeedRow> find_feed(std::string_view name) const;
  Result<std::vector<FeedRow>> feeds() const;

  /// "intelligence.indicator.set". Returns whether it is new. Errors: limit_exceeded.
  Result<bool> put_indicator(const OwnIndicatorRow& row, const Actor& actor);
  /// "intelligence.indicator.delete".
  Result<bool> remove_indicator(std::string_view kind, std::string_view value, const Actor& actor, Timestamp now);
  /// In order of kind and value, behind this one.
  Result<std::vector<OwnIndicatorRow>> indicators(std::string_view after_kind, std::string_view after_value,
                                                  std::size_t count_max) const;

  Result<> add_set(const IndicatorSetRow& row);
  Result<> remove_set(std::string_view version);
  /// Oldest first: the last is in force.
  Result<std::vector<IndicatorSetRow>> sets() const;

  /// Adds or replaces; the oldest beyond kHuntsKept go.
  Result<> put_hunt(const RetroHuntRow& row);
  /// Newest first.
  Result<std::vector<RetroHuntRow>> hunts() const;

 private:
  Database& database_;
};

}  // namespace picket::state
