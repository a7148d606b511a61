// Recommendations as lists and the API show them: a projection of the derived journal stream; and which types are on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

/// What lists and filters need is in columns; everything else is in `json`, the newest change record as the pipeline
/// wrote it (docs/formats/recommendation.md).
struct Recommendation {
  std::string recommendation_id;
  std::string type;
  std::string display_name;
  std::string severity;  ///< Informational, Low, Medium, High.
  std::string state;     ///< Active, Resolved.
  std::string hub;
  std::string device_id;  ///< Empty: the hub itself.
  Timestamp first;        ///< First evaluation.
  Timestamp updated;
  /// Names the newest change applied: sequence of its source in the messages journal, then its number.
  std::uint64_t source = 0;
  std::uint32_t change = 0;
  std::string json;
};

struct RecommendationFilter {
  std::string hub;  ///< Empty: all, as for each of these.
  std::string state;
  std::string type;  ///< Compared without ASCII case.
  std::string device_id;
  std::string severity;
};

struct RecommendationPage {
  std::vector<Recommendation> recommendations;  ///< By id.
  std::string next;                             ///< Cursor of the following page; empty at the end.
  std::uint64_t total = 0;
};

/// One type over a hub: how many devices it is about now, and how many it was about and is not any more.
struct RecommendationCount {
  std::string type;
  std::string display_name;
  std::string severity;
  std::uint64_t active = 0;
  std::uint64_t resolved = 0;
};

class Recommendations {
 public:
  explicit Recommendations(Database& database) : database_(database) {}

  /// Applies one change record that stands at `position` of the derived stream (text form of journal::Position after
  /// it). Idempotent: an older or equal change is not applied, the position is kept with it. Returns whether anything
  /// changed.
  Result<bool> apply(const Recommendation& recommendation, std::string_view position);
  /// Text of the position up to which the derived stream was applied; empty at the beginning.
  Result<std::string> position() const;
  Result<> set_position(std::string_view position);

  /// Errors: not_found.
  Result<Recommendation> find(std::string_view recommendation_id) const;
  Result<RecommendationPage> list(const RecommendationFilter& filter, std::string_view cursor,
                                  std::size_t count_max) const;
  /// By type; types with the most active devices first. `hub` empty: all.
  Result<std::vector<RecommendationCount>> count_by_type(std::string_view hub) const;

  /// Switches a type on or off; the outbox record "recommendation.set" tells the pipeline. The caller checks that the
  /// type exists.
  Result<> set_enabled(std::string_view type, bool enabled, const Actor& actor, Timestamp now);
  /// Types that are off.
  Result<std::vector<std::string>> disabled() const;

 private:
  Database& database_;
};

/// Device security groups (pipeline/security_group.h makes and reads their JSON). A change is told to the pipeline by
/// an outbox record "security_group.set" or "security_group.delete" of the same transaction.
class SecurityGroups {
 public:
  explicit SecurityGroups(Database& database) : database_(database) {}

  struct Stored {
    std::string name;
    std::string json;  ///< The resource, all rules.
  };
  static constexpr std::size_t kGroupsMax = 1024;  ///< Of one hub.

  /// `resource`: a whole, checked resource. True: made anew. Errors: limit_exceeded.
  Result<bool> put(std::string_view hub, std::string_view name, std::string_view resource, const Actor& actor,
                   Timestamp now);
  /// False: there was none.
  Result<bool> remove(std::string_view hub, std::string_view name, const Actor& actor, Timestamp now);
  /// Errors: not_found.
  Result<Stored> find(std::string_view hub, std::string_view name) const;
  /// By name.
  Result<std::vector<Stored>> list(std::string_view hub) const;

 private:
  Database& database_;
};

}  // namespace picket::state
