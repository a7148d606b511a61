// Everything that comes of the hub's own records: rows, alerts, recommendations.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "alert_book.h"
#include "control.h"
#include "derived_change.h"
#include "hub_detector.h"
#include "hub_settings.h"
#include "pipeline/stats.h"
#include "recommendation_book.h"
#include "row_batch.h"

namespace picket::pipeline {

/// The moment at which something is found.
struct Moment {
  Timestamp enqueued;
  journal::RecordId source;
  Profile profile = Profile::standard;
  std::vector<DerivedChange>& out;
};

/// A part of the engine, and deterministic like it.
class HubStage {
 public:
  using GroupOf = HubDetector::GroupOf;

  /// `alerts` outlives it.
  HubStage(AlertBook& alerts, const RecommendationCatalogue& catalogue, workspace::TableIndex table, SipKey key,
           GroupOf group_of);

  /// Whether a record of kind audit was seen before; remembers it.
  bool is_double(const journal::RecordView& record);
  void add_row(const HubRecord& record, RowBatch& batch) const;
  /// A record of kind hub_event or audit that is no double.
  void process(const HubRecord& record, const Moment& moment);
  void see_message(const SeenMessage& message, const Moment& moment);
  void see_event(const DetectorEvent& event, const Moment& moment);
  void see_empty(const DetectorEvent& event, const Moment& moment);
  void message_done(const Moment& moment);
  /// Before each record: tells detectors of a new minute once.
  void advance(const Moment& moment);
  void configure(const RulesChange& rules, const Moment& moment);
  /// A record of kind intelligence_change.
  void see_intelligence(const journal::RecordView& record);
  /// A device changed its security group.
  void see_group(const Identity& device, std::string_view group);

  [[nodiscard]] std::vector<StatePart*> parts();
  void add_stats(Stats& stats) const;

  /// Called when an audit record says that the device's tag SecurityGroup was set.
  std::function<void(const Identity&, std::string, Timestamp)> on_group;
  /// Called for an audit record that sets or removes a suppression rule.
  std::function<void(const HubRecord&)> on_suppression;
  /// Called when an audit record changes rules, before the detectors of the hub are told.
  std::function<void(const RulesChange&)> on_rules;

 private:
  struct Running {
    std::string_view name;
    std::unique_ptr<HubDetector> detector;
  };
  void raise(const Running& running, const Moment& moment);

  AlertBook& alerts_;
  RecommendationBook recommendations_;
  HubSettings settings_;
  SeenAudits seen_audits_;
  workspace::TableIndex table_;
  GroupOf group_of_;
  std::vector<Running> detectors_;
  std::vector<const Running*> of_messages_;
  std::vector<const Running*> of_events_;
  HubFindings findings_;  ///< Scratch.
  std::uint64_t records_ = 0;
  std::uint64_t doubles_ = 0;
  std::uint64_t found_ = 0;
};

}  // namespace picket::pipeline
