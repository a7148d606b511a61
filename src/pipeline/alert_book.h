// The raise stage: findings become alerts, and later findings changes of them.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "derived_change.h"
#include "detector.h"
#include "incident_book.h"
#include "pipeline/alert.h"
#include "pipeline/catalogue.h"
#include "suppression_book.h"

namespace picket::pipeline {

inline constexpr std::size_t kOpenAlertsMax = 65'536;
/// The first changes of an alert are written at once; after that when the count has doubled, or this time after the
/// last.
inline constexpr std::uint32_t kChangesAtOnce = 8;
inline constexpr Duration kChangeDelay = Duration::minutes(1);
inline constexpr std::size_t kEntitiesMax = 32;  ///< Of one alert.
/// An event time lies at most so long before the time at which the hub took it (decisions: time). So long after its
/// window an alert waits for findings; what comes even later is an alert of its own.
inline constexpr Duration kAlertLateness = Duration::hours(8 * 24);

/// Alerts that may still change. Deterministic: driven by records alone. Which alert a finding belongs to depends on
/// its own start alone (windows are fixed parts of time), and what an alert says on the set of its findings, not on the
/// order in which they came.
class AlertBook final : public StatePart {
 public:
  /// All outlive it. Incidents follow the changes of alerts, suppressed ones excepted.
  AlertBook(const Catalogue& catalogue, const SuppressionBook& suppressions, IncidentBook& incidents)
      : catalogue_(catalogue), suppressions_(suppressions), incidents_(incidents) {}

  struct Context {
    std::string_view rule;
    const Identity& device;
    std::string_view group;
    Profile profile = Profile::standard;
    Timestamp enqueued;
    journal::RecordId source;
  };
  /// Adds the changes that the finding makes to `out`: of its alert, then of incidents.
  void raise(const Finding& finding, const Context& context, std::vector<DerivedChange>& out);
  /// Changes that waited for their time, in order of that; forgets alerts whose window is long over.
  void advance(Timestamp now, journal::RecordId source, std::vector<DerivedChange>& out);
  /// Forgets what cannot change any more; once a minute of record time.
  void forget(Timestamp now);

  [[nodiscard]] std::size_t open() const { return alerts_.size(); }
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

  std::string_view part_name() const override { return "alerts"; }
  std::uint16_t part_version() const override { return 2; }
  std::vector<StateChange> take_changes() override { return alerts_.take_changes(); }
  Result<> load(std::string_view key, Bytes value) override;

  struct OpenAlert {
    AlertChange alert;                ///< As it stands; `change` is the number of the next change.
    std::vector<Timestamp> told;      ///< Of each property: end of the finding that said so.
    std::string group_key;            ///< Of its findings.
    Timestamp keep_until;             ///< Findings of its window may come until then.
    Timestamp last;                   ///< Enqueued time of the newest finding.
    Timestamp written;                ///< Enqueued time of the last change.
    std::uint64_t written_count = 0;  ///< Count in the last change.
    bool waiting = false;             ///< Has changed since.
    void encode(ByteWriter& out) const;
    static Result<OpenAlert> decode(Cursor& in);
  };

 private:
  void begin(OpenAlert& open, const Finding& finding, const Context& context, const AlertInfo& info,
             Timestamp window_start, std::string_view suppressed_by);
  static void merge(OpenAlert& open, const Finding& finding, const Context& context);
  void write(const std::string& key, OpenAlert& open, Timestamp now, journal::RecordId source,
             std::vector<DerivedChange>& out);

  const Catalogue& catalogue_;
  const SuppressionBook& suppressions_;
  IncidentBook& incidents_;
  std::vector<IncidentChange> incident_changes_;  ///< Scratch.
  KeyedTable<OpenAlert> alerts_;
  std::set<std::pair<Timestamp, std::string>> due_;  ///< Of the waiting ones.
  std::uint64_t evicted_ = 0;
};

}  // namespace picket::pipeline
