// The raise stage: findings become alerts, and later findings changes of them.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "detector.h"
#include "pipeline/alert.h"
#include "pipeline/catalogue.h"

namespace picket::pipeline {

inline constexpr std::size_t kOpenAlertsMax = 65'536;
/// The first changes of an alert are written at once; after that when the count has doubled, or this time after the
/// last.
inline constexpr std::uint32_t kChangesAtOnce = 8;
inline constexpr Duration kChangeDelay = Duration::minutes(1);
inline constexpr std::size_t kEntitiesMax = 32;  ///< Of one alert.

/// Alerts that may still change. Deterministic: driven by records alone.
class AlertBook final : public StatePart {
 public:
  explicit AlertBook(const Catalogue& catalogue) : catalogue_(catalogue) {}

  struct Context {
    std::string_view rule;
    const Identity& device;
    std::string_view group;
    Profile profile = Profile::standard;
    Timestamp enqueued;
    journal::RecordId source;
  };
  /// Adds the changes that the finding makes to `out`.
  void raise(const Finding& finding, const Context& context, std::vector<AlertChange>& out);
  /// Changes that waited for their time, in order of that; forgets alerts whose window is long over.
  void advance(Timestamp now, journal::RecordId source, std::vector<AlertChange>& out);
  /// Forgets what cannot change any more; once a minute of record time.
  void forget(Timestamp now);

  [[nodiscard]] std::size_t open() const { return alerts_.size(); }
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

  std::string_view part_name() const override { return "alerts"; }
  std::uint16_t part_version() const override { return 1; }
  std::vector<StateChange> take_changes() override { return alerts_.take_changes(); }
  Result<> load(std::string_view key, Bytes value) override;

  struct OpenAlert {
    AlertChange alert;  ///< As it stands; `change` is the number of the next change.
    Timestamp window_start;
    Timestamp last;                   ///< Enqueued time of the newest finding.
    Timestamp written;                ///< Enqueued time of the last change.
    std::uint64_t written_count = 0;  ///< Count in the last change.
    bool waiting = false;             ///< Has changed since.
    void encode(ByteWriter& out) const;
    static Result<OpenAlert> decode(Cursor& in);
  };

 private:
  void begin(OpenAlert& open, const Finding& finding, const Context& context, const AlertInfo& info);
  static void merge(AlertChange& alert, const Finding& finding, Profile profile);
  void write(const std::string& key, OpenAlert& open, Timestamp now, journal::RecordId source,
             std::vector<AlertChange>& out);

  const Catalogue& catalogue_;
  KeyedTable<OpenAlert> alerts_;
  std::set<std::pair<Timestamp, std::string>> due_;  ///< Of the waiting ones.
  std::uint64_t evicted_ = 0;
};

}  // namespace picket::pipeline
