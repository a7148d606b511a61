// decode -> enrich -> detect -> raise, as a function of records. No clock, no file, no thread.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "alert_book.h"
#include "base/core/hash.h"
#include "behavior/process_rule.h"
#include "derived_change.h"
#include "detector.h"
#include "engine_settings.h"
#include "hub_stage.h"
#include "incident_book.h"
#include "journal/record.h"
#include "known_devices.h"
#include "message/decoder.h"
#include "pass.h"
#include "pipeline/catalogue.h"
#include "pipeline/stats.h"
#include "process_tree.h"
#include "record_duplicates.h"
#include "row_batch.h"
#include "row_builder.h"
#include "suppression_book.h"
#include "workspace/schema.h"

namespace picket::pipeline {

inline constexpr std::string_view kSecurityInterface = "urn:azureiot:Security:SecurityAgent:1";

struct EngineOptions {
  std::string installation_id;
  SipKey fingerprint_key;  ///< Secret: a sender must not be able to make two ids with one fingerprint.
};

/// Not thread-safe. Its whole memory is in parts(): an engine that loads them goes on as the one that saved them.
class Engine {
 public:
  Engine(EngineOptions options, const Catalogue& catalogue, const workspace::Schema& schema,
         const RecommendationCatalogue& recommendations = RecommendationCatalogue::builtin());
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  /// Before parts() are loaded and records processed. Without it no indicator matches.
  void use_indicators(const OpenIndicators& open);
  /// One record. Rows are added to `batch`, whose cells point into the record; changes of alerts and recommendations to
  /// `changes`. Passes `rows` and then `detection` over some records do what `whole` does. Between the two parts() are
  /// of two moments, and must not be saved.
  void process(const journal::RecordView& record, RowBatch& batch, std::vector<DerivedChange>& changes,
               Pass pass = Pass::whole);
  /// The duplicates that it left out.
  [[nodiscard]] SkippedBook& skipped() { return duplicates_.skipped(); }
  /// After parts() were loaded, the state behind record `last`: what it skipped up to there. A pass `rows` over those
  /// records goes by this list.
  void resume(std::uint64_t last, SkippedBook skipped) { duplicates_.resume(last, std::move(skipped)); }

  [[nodiscard]] std::vector<StatePart*> parts();
  /// Adds this engine's counters.
  void add_stats(Stats& stats) const;
  /// Of every detector, and of every rule that one runs.
  [[nodiscard]] std::vector<RuleLoad> loads() const;

 private:
  struct Running {
    std::string_view name;
    std::unique_ptr<Detector> detector;
    std::uint64_t looked_at = 0;
    std::uint64_t findings = 0;
    std::uint64_t timed = 0;  ///< Of looked_at.
    std::uint64_t timed_ns = 0;
  };

  void process_message(const journal::RecordView& record, RowBatch& batch, std::vector<DerivedChange>& changes,
                       Pass pass);
  void process_events(const journal::RecordView& record, const message::SecurityMessage& message,
                      const std::vector<bool>& duplicates, RowBatch& batch, std::vector<DerivedChange>& changes,
                      Pass pass);
  void process_hub(const journal::RecordView& record, RowBatch& batch, std::vector<DerivedChange>& changes, Pass pass);
  void process_intelligence(const journal::RecordView& record, std::vector<DerivedChange>& changes);
  void process_control(const journal::RecordView& record, std::vector<DerivedChange>& changes);
  void detect(const DetectorEvent& event, const journal::RecordView& record, std::vector<DerivedChange>& changes);
  void minute_passed(const journal::RecordView& record, std::vector<DerivedChange>& changes);
  void raise(const Finding& finding, std::string_view detector, const Identity& device, std::string_view group,
             const journal::RecordView& record, std::vector<DerivedChange>& changes);
  void configure(const RulesChange& rules);
  void look(Running& running, const DetectorEvent& event);
  Moment moment_of(const journal::RecordView& record, std::vector<DerivedChange>& changes) const;
  void set_group(const journal::IdentityView& identity, std::string group, Timestamp enqueued);

  EngineOptions options_;
  message::Decoder decoder_;
  RowBuilder rows_;
  RecordDuplicates duplicates_;
  KnownDevices devices_;
  EngineSettings settings_;
  std::vector<Running> detectors_;
  std::array<std::vector<Running*>, message::kEventKinds> by_kind_;
  ProcessTree processes_;
  ProcessGroups process_groups_{"process_groups"};
  SuppressionBook suppressions_;
  IncidentBook incidents_;
  AlertBook alerts_;
  std::unique_ptr<HubStage> hub_;
  std::vector<Finding> findings_;
  std::vector<DeviceFinding> device_findings_;
  std::vector<IncidentChange> incident_changes_;  ///< Scratch.
  std::int64_t minute_ = 0;
  Stats stats_;
  Stats uncounted_;  ///< Of pass `rows`: detection counts the same records.
};

}  // namespace picket::pipeline
